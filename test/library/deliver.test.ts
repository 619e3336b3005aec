import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { orUndelivered } from '../../src/library/deliver.js';
import { calibrate } from '../../src/library/calibrate.js';
import { open, withResults } from '../../src/library/results.js';
import { roofline } from '../../src/library/roofline.js';
import { loadPlugins } from '../../src/plugins/load.js';
import { StoreError } from '../../src/store/error.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, useDatabase } from '../support/postgres.js';

const folder = useFolder();

const NOWHERE = 'postgres://ada:secret@127.0.0.1:1/edgeflex';

describePostgres('what was found out about a device', () => {
  const url = useDatabase();

  it('is delivered to a shared database with the run that it was found in, and listed from there', async () => {
    vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
    await loadPlugins([join(packageRoot(), 'bench', 'fleet', 'simulated.mjs')], folder('none'));
    await writeFile(
      folder('board.yaml'),
      'name: board\nkind: x-simulated\nthreads: 1\noptions: { seconds: 0 }\n',
    );
    const { run, floors } = await calibrate(folder('results'), folder('board.yaml'), {
      ...{ model: 'vit-micro-shapes10', rounds: 8, batches: [1], tier: 'smoke', db: url() },
    });
    expect(floors.length).toBeGreaterThan(0);
    await withResults(url(), { readonly: true }, async (there) => {
      expect((await there.runs()).map(({ id, state }) => [id, state])).toEqual([[run.id, 'complete']]);
      const here = await open(folder('results'), { readonly: true });
      expect(await there.calibrations()).toEqual(await here.calibrations());
      await here.close();
    });
  });

  it('is refused before anything is measured where the database cannot be reached', async () => {
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
    for (const measure of [roofline, calibrate]) {
      const refusal: unknown = await Promise.resolve(
        measure(folder('results'), folder('here.yaml'), { db: NOWHERE }),
      ).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(StoreError);
      expect(String(refusal)).toContain('127.0.0.1:1');
      expect(String(refusal)).not.toContain('secret');
    }
  });

  it('is told to be undelivered, without the password, where the server went meanwhile', async () => {
    const events: unknown[] = [];
    await orUndelivered(
      NOWHERE,
      (event) => events.push(event),
      () => withResults(NOWHERE, {}, () => Promise.resolve()),
    );
    expect(events).toMatchObject([{ kind: 'undelivered', place: 'postgres://ada@127.0.0.1:1/edgeflex' }]);
    await expect(
      orUndelivered(
        NOWHERE,
        () => undefined,
        () => Promise.reject(new Error('a fault')),
      ),
    ).rejects.toThrow('a fault');
  });
});
