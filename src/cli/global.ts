import { Option } from 'commander';

/** The options that every command takes. */
export function globalOptions(): readonly Option[] {
  return [
    new Option('--verbose', 'show the stack trace of an error'),
    new Option('-q, --quiet', 'print only results and errors, no progress or remarks'),
  ];
}
