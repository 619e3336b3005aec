import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { useFolder } from '../support/folder.js';
import { storeCell } from '../support/rows.js';
import { edgeflexProcess } from './support.js';

const folder = useFolder();

describe('settings of a folder', () => {
  it('say where results and the cache lie, relative to it, unless a flag or the environment says otherwise', async () => {
    const cwd = folder();
    await writeFile(join(cwd, 'edgeflex.config.yaml'), 'results: measured\ncache: kept\ncacheLimit: 3GiB\n');
    const db = await openStore(join(cwd, 'measured', 'edgeflex.db'));
    await storeCell(db, '20261001-a');
    await db.destroy();
    const own = { EDGEFLEX_CACHE: undefined };
    expect((await edgeflexProcess(['runs'], own, cwd)).out).toContain('20261001-a');
    expect((await edgeflexProcess(['runs', '--results', 'elsewhere'], own, cwd)).code).toBe(2);
    const size = async (env: NodeJS.ProcessEnv): Promise<object> =>
      JSON.parse((await edgeflexProcess(['cache', 'size', '--json'], env, cwd)).out) as object;
    expect(await size(own)).toMatchObject({ directory: join(cwd, 'kept'), limitBytes: 3 * 2 ** 30 });
    expect(await size({ EDGEFLEX_CACHE: folder('other') })).toMatchObject({ directory: folder('other') });
  });

  it('say what is measured on', async () => {
    const cwd = folder();
    await writeFile(join(cwd, 'edgeflex.config.yaml'), 'devices: [./lab/mine.yaml]\nreports: pages\n');
    await mkdir(join(cwd, 'lab'));
    await writeFile(join(cwd, 'lab', 'mine.yaml'), 'name: mine\nkind: local\nthreads: 1\n');
    await writeFile(
      join(cwd, 'suite.yaml'),
      'name: short\ndata: shapes10\nmodels: [{ path: vit-micro-shapes10 }]\ndevices: [nowhere.yaml]\n' +
        'accuracy: { images: 8, batch: 8 }\nperformance: { batches: [], rounds: 1 }\n',
    );
    const { code, out } = await edgeflexProcess(['run', 'suite.yaml', '--json'], {}, cwd);
    expect(code).toBe(0);
    const { devices } = JSON.parse(out) as { devices: { name: string }[] };
    expect(devices.map(({ name }) => name)).toEqual(['mine']);
    expect(existsSync(join(cwd, 'pages'))).toBe(true);
  });

  it('are refused by name where they say something unknown', async () => {
    const cwd = folder();
    await writeFile(join(cwd, 'edgeflex.config.yaml'), 'result: measured\n');
    const { code, err } = await edgeflexProcess(['runs'], {}, cwd);
    expect(code).toBe(2);
    for (const part of ['edgeflex.config.yaml', '"result"', 'results']) expect(err).toContain(part);
  });
});
