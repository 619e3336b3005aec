import { readdir } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { edgeflex } from './support.js';

const folder = useFolder();

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(2, (index) => ({ milliseconds: 10 + index })),
  );
  await db.destroy();
});

async function asked(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await edgeflex(['query', ...words, '--results', folder('results')], {});
  expect([code, err]).toEqual([0, '']);
  return out;
}

describe('edgeflex query', () => {
  it('prints a table, CSV that another reader understands, and what can be asked', async () => {
    const sql = 'select recipe, images_per_s from v_latency order by recipe, images_per_s';
    expect(await asked(sql)).toMatch(/recipe +images_per_s\nfp32 +\d/);
    const rows = parse<Record<string, string>>(await asked(sql, '--csv'), { columns: true });
    expect(rows.map(({ recipe }) => recipe)).toEqual(['fp32', 'fp32', 'int8', 'int8']);
    expect(await asked("select id from runs where id = ''", '--csv')).toBe('id\r\n');
    expect(await asked('--views')).toContain('v_results');
    expect(await asked('--describe', 'v_latency')).toMatch(/median_ms +real +ms/);
  });

  it('needs one thing to do, and exits with 2 for anything that is no query', async () => {
    for (const words of [[], ['select 1', '--views'], ['drop table runs'], ['--describe', 'v_latencies']])
      expect(
        (await edgeflex(['query', ...words, '--results', folder('results')], {})).code,
        words.join(' '),
      ).toBe(2);
  });
});

describe('edgeflex export', () => {
  it('writes Parquet files and says how many rows each has', async () => {
    const words = ['export', '--parquet', folder('out'), '--results', folder('results')];
    const { code, out } = await edgeflex(words, {});
    expect(code).toBe(0);
    expect(out).toMatch(/samples\.parquet +42 *\n/);
    expect((await readdir(folder('out'))).filter((name) => name.endsWith('.parquet'))).toHaveLength(7);
    expect((await edgeflex(['export', '--results', folder('results')], {})).code).toBe(2);
  });
});
