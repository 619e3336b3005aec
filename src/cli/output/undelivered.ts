import { shellWords } from '../../base/shell-words.js';
import { exitCodes } from '../failure.js';
import type { RunProgress } from './progress.js';

/**
 * Says on standard error that a shared database lacks something of the run, and sets the exit code for it.
 *
 * @param progress - of the run
 * @param flags - where it lies, and where it was to go
 */
export function sayWhatIsUndelivered(
  { undelivered, runId }: RunProgress,
  { results, db }: { readonly results: string; readonly db?: string },
): void {
  if (undelivered === undefined) return;
  process.exitCode = exitCodes.device;
  const words = ['edgeflex', 'runs', 'push', runId ?? '', '--results', results, '--db', undelivered];
  console.error(
    `${undelivered} has not got all of the run. It is whole in ${results}; deliver it with:\n  ${shellWords(words)}` +
      (db === undelivered ? '' : '\nThe password is not shown; give it by PGPASSWORD or ~/.pgpass.'),
  );
}
