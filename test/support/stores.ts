import { describe } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { useFolder } from './folder.js';
import { describePostgres, useDatabase, type Template } from './postgres.js';

/** A store without anything in it: making its tables takes longer than most tests. */
export const emptyStore: Template = {
  name: 'empty_store',
  fill: async (url) => (await openStore(url)).destroy(),
};

/**
 * Makes tests that hold of every kind of store: they are run with SQLite, and with PostgreSQL where it is installed.
 *
 * @param tests - defines them; gets the place of the current test's store, for `openStore`
 */
export function describeEachStore(tests: (place: () => string) => void): void {
  describe('in a file', () => {
    const folder = useFolder();
    tests(() => folder('results.sqlite'));
  });
  describePostgres('on a server', () => {
    tests(useDatabase(emptyStore));
  });
}
