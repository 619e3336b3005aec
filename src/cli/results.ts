import { join } from 'node:path';
import { Option } from 'commander';

/** The option that says where results lie; every command that reads or writes them has it. */
export function resultsOption(): Option {
  return new Option('--results <directory>', 'where the results database lies').default('results');
}

/** The database of a results directory. */
export function databaseIn(results: string): string {
  return join(results, 'edgeflex.db');
}
