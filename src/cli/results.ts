import { Option } from 'commander';

/** The option that says where results lie; every command that reads or writes them has it. */
export function resultsOption(): Option {
  return new Option('--results <directory>', 'folder of the results database').default('results');
}

/** The option that says where reports go. */
export function reportsOption(): Option {
  return new Option('--reports <directory>', 'folder for reports, each in a subfolder').default('reports');
}
