import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { executeSuite, type RunOutcome } from '../../src/run/execute.js';
import type { RunObserver } from '../../src/run/observer.js';
import type { Resume } from '../../src/run/record.js';
import { openStore, type Db } from '../../src/store/open.js';
import type { Suite } from '../../src/suite/read.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, openShapes } from '../support/micro.js';
import { agentsOf } from '../support/processes.js';

/** What tests of runs work with. */
export interface RunBench {
  /** A path in the test's folder. */
  readonly folder: (...names: string[]) => string;
  /** The test's store. */
  readonly db: () => Db;
  /** The built-in model in float32 and in INT8, timed as shortly as a tier allows. */
  readonly suite: (changes?: Partial<Suite>) => Suite;
  /** Executes a suite. */
  readonly execute: (suite: Suite, observer?: Partial<RunObserver>, how?: How) => Promise<RunOutcome>;
  /** Executes a suite until its observer says that it is enough. */
  readonly interrupt: (suite: Suite, observer: (stop: () => void) => Partial<RunObserver>) => Promise<void>;
}

/** How a suite is executed. */
interface How {
  readonly resume?: Resume;
  readonly signal?: AbortSignal;
}

const nothing = (): void => undefined;

const silent: RunObserver = {
  ...{
    started: nothing,
    unusable: nothing,
    unclosed: nothing,
    compressing: nothing,
    compressed: nothing,
    rewritten: nothing,
    measuring: nothing,
    disturbed: nothing,
    measured: nothing,
  },
};

/** The built-in images. */
export const data = await openShapes();

/** Gives every test of a file a folder with a cache, a store and a device profile; no agent may be left after a test. */
export function useRuns(): RunBench {
  const folder = useFolder();
  let db: Db;

  beforeEach(async () => {
    vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
    db = await openStore(folder('results.sqlite'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await db.destroy();
    expect(agentsOf()).toEqual([]);
  });

  const suite = (changes: Partial<Suite> = {}): Suite => {
    const options = quantizeOptionsSchema.parse({ alpha: 'off', images: 8, rows: 16 });
    const int8: Recipe = { ...fp32, name: 'int8', steps: [{ stage: 'quantize', options }] };
    return {
      ...{ name: 'tiny', description: '', path: folder('suite.yaml'), seed: 1 },
      data: { name: 'shapes10', path: undefined },
      models: [{ kind: 'path', name: 'micro', path: microDirectory }],
      recipes: [fp32, int8].map((recipe) => ({ recipe, published: undefined })),
      devices: [folder('here.yaml')],
      accuracy: { batch: 16, images: 40 },
      gates: [],
      performance: { batches: [2], tier: 'smoke', rounds: 2 },
      ...changes,
    };
  };

  const execute: RunBench['execute'] = (tiny, observer = {}, { resume = false, signal } = {}) =>
    executeSuite(tiny, {
      ...{ db, data, resume, command: 'edgeflex run tiny', signal: signal ?? new AbortController().signal },
      observer: { ...silent, ...observer },
    });

  const interrupt: RunBench['interrupt'] = async (tiny, observer) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const watching = observer(() => {
      controller.abort(reason);
    });
    await expect(execute(tiny, watching, { signal: controller.signal })).rejects.toBe(reason);
  };

  return { folder, db: () => db, suite, execute, interrupt };
}
