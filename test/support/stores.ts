import { describe } from 'vitest';
import { useFolder } from './folder.js';
import { describePostgres, useDatabase } from './postgres.js';

/**
 * Makes tests that hold of every kind of store: they are run with SQLite, and with PostgreSQL where it is installed.
 *
 * @param tests - defines them; gets the place of the current test's store, which is not there yet: for `openStore`
 */
export function describeEachStore(tests: (place: () => string) => void): void {
  describe('in a file', () => {
    const folder = useFolder();
    tests(() => folder('results.sqlite'));
  });
  describePostgres('on a server', () => {
    tests(useDatabase());
  });
}
