import { mkdirSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../src/base/sqlite.js';
import { beforeEach, expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { browserProcesses } from '../device/support/browsers.js';
import { describeInBrowser } from '../report/support/browser.js';
import { useFolder } from '../support/folder.js';
import { edgeflexProcess, processesWith, start, type Running } from './support.js';

const folder = useFolder();

describeInBrowser('a run in a browser', () => {
  let env: NodeJS.ProcessEnv;
  let words: string[];

  beforeEach(async () => {
    mkdirSync(folder('tmp'));
    env = { EDGEFLEX_CACHE: folder('cache'), TMPDIR: folder('tmp') };
    const root = packageRoot();
    await writeFile(
      folder('suite.yaml'),
      [
        'name: browser',
        `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
        `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
        `devices: [${root}/devices/browser-wasm.yaml]`,
        'accuracy: { batch: 8, images: 8 }',
        'performance: { batches: [1], tier: smoke, rounds: 1 }',
      ].join('\n'),
    );
    words = ['run', folder('suite.yaml'), '--results', folder('results'), '--reports', folder('reports')];
  });

  /** Starts it, and waits for its last measurement, the timed one, to be under way. */
  async function underWay(more: readonly string[] = []): Promise<Running> {
    const running = start([...words, ...more], env);
    // A resumed run has nothing to say before its first measurement is over.
    await running.said(more.length === 0 ? '2 of 3' : 'from the cache');
    await vi.waitFor(() => expect(browserProcesses(folder('tmp'), 'renderer')).not.toEqual([]), 30_000);
    return running;
  }

  const browserProfiles = (): string[] =>
    readdirSync(folder('tmp')).filter((name) => name.startsWith('edgeflex-browser-'));

  function storedRounds(): number {
    const db = new Database(join(folder('results'), 'edgeflex.db'), { readonly: true });
    try {
      return db.prepare('select count(*) from rounds').pluck().get() as number;
    } finally {
      db.close();
    }
  }

  test('leaves no browser and no profile behind, killed or stopped, and goes on', async () => {
    const killed = await underWay();
    killed.child.kill('SIGKILL');
    expect((await killed.ended).signal).toBe('SIGKILL');
    await vi.waitFor(() => {
      expect(processesWith('EDGEFLEX_CACHE', folder('cache'))).toEqual([]);
      expect(browserProcesses(folder('tmp'))).toEqual([]);
      expect(browserProfiles()).toEqual([]);
    }, 30_000);
    expect(storedRounds()).toBe(2);

    const stopped = await underWay(['--resume']);
    stopped.child.kill('SIGINT');
    const { code, err } = await stopped.ended;
    expect(code).toBe(exitCodes.interrupted);
    expect(err).toContain('continue with');
    expect(err).not.toContain('  at ');
    expect(processesWith('EDGEFLEX_CACHE', folder('cache'))).toEqual([]);
    expect(browserProfiles()).toEqual([]);
    expect(storedRounds()).toBe(2);

    const finished = await edgeflexProcess([...words, '--resume'], env);
    expect(finished.code).toBe(exitCodes.fine);
    expect(storedRounds()).toBe(3);
  }, 120_000);
});
