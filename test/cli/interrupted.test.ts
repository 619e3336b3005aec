import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../src/base/sqlite.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import type { ReportDocument } from '../../src/report/document.js';
import { edgeflexProcess, processesWith, start } from './support.js';

/** Two variants: an accuracy, a kernels and four timed rounds for each. */
const MEASUREMENTS = 12;

interface StoredRound {
  readonly position: number;
  readonly started_at: string;
}

describe('a run that is killed, stopped and resumed', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let flags: string[];
  let suite: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    env = { EDGEFLEX_CACHE: join(folder, 'cache') };
    flags = ['--results', join(folder, 'results'), '--reports', join(folder, 'my reports')];
    suite = join(folder, 'suite.yaml');
    const root = packageRoot();
    await writeFile(
      suite,
      [
        'name: small',
        `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
        `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
        `recipes: [${root}/suites/recipes/int8.yaml]`,
        `devices: [${root}/devices/local-cpu.yaml]`,
        'accuracy: { batch: 64, images: 256 }',
        'performance: { batches: [1], tier: smoke, rounds: 4 }',
      ].join('\n'),
    );
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  function rounds(): StoredRound[] {
    const db = new Database(join(folder, 'results', 'edgeflex.db'), { readonly: true });
    try {
      return db.prepare('select position, started_at from rounds order by position').all() as StoredRound[];
    } finally {
      db.close();
    }
  }

  test('keeps what was measured when it is killed, and leaves no process behind', async () => {
    const running = start(['run', suite, ...flags], env);
    await running.said(`5 of ${MEASUREMENTS}`);
    running.child.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    const kept = rounds();
    expect(kept.length).toBeGreaterThanOrEqual(5);
    expect(kept.length).toBeLessThan(MEASUREMENTS);
    await vi.waitFor(() => expect(processesWith('EDGEFLEX_CACHE', join(folder, 'cache'))).toEqual([]), 5000);
    const listed = JSON.parse(
      (await edgeflexProcess(['runs', '--json', '--results', flags[1]!], env)).out,
    ) as object[];
    expect(listed).toMatchObject([{ suite: 'small', endedAt: null, cells: 6 }]);
  });

  test('stops at Ctrl-C, says how to go on, and measures only the rest then', async () => {
    const before = rounds();
    const running = start(['run', suite, ...flags, '--resume'], env);
    await running.said(`${before.length + 1} of ${MEASUREMENTS}`);
    running.child.kill('SIGINT');
    const stopped = await running.ended;
    expect(stopped.code).toBe(exitCodes.interrupted);
    expect(stopped.err).toContain('from the cache');
    expect(stopped.err).not.toContain('  at ');
    expect(processesWith('EDGEFLEX_CACHE', join(folder, 'cache'))).toEqual([]);
    const between = rounds();
    expect(between.slice(0, before.length)).toEqual(before);
    expect(between.length).toBeLessThan(MEASUREMENTS);

    const command = /continue with:\n {2}edgeflex (.*)\n/.exec(stopped.err)?.[1];
    const words = command?.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
    const finished = await edgeflexProcess(words, env);
    expect(finished.err).not.toContain('error');
    expect(finished.code).toBe(exitCodes.fine);
    const all = rounds();
    expect(all.slice(0, between.length)).toEqual(between);
    expect(all).toHaveLength(MEASUREMENTS);
    expect(new Set(all.map(({ position }) => position)).size).toBe(MEASUREMENTS);
    expect(finished.out).toMatch(/^variant .*\nfp32 .*\nint8 /m);
    const page = /^Report: (.*)$/m.exec(finished.out)?.[1] ?? '';
    expect(page.startsWith(join(folder, 'my reports'))).toBe(true);
    expect(await readFile(page, 'utf8')).toContain('<!doctype html>');
  }, 120_000);

  test('is reported again as it was', async () => {
    const printed = await edgeflexProcess(['report', '--json', ...flags], env);
    const document = JSON.parse(printed.out) as ReportDocument;
    expect(document.run).toMatchObject({ suite: 'small', pendingCells: 0 });
    expect(document.results.map(({ recipe }) => recipe)).toEqual(['fp32', 'int8']);
    const written = await edgeflexProcess(['report', document.run.id.slice(0, 13), ...flags], env);
    expect(written.out).toBe(`${join(folder, 'my reports', document.run.id, 'report.html')}\n`);
    const nothing = await edgeflexProcess(['run', suite, ...flags, '--resume'], env);
    expect(nothing.code).toBe(exitCodes.usage);
    expect(nothing.err).toContain('found no unfinished run of small');
  });
});
