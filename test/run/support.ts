import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { executeSuite, type RunOutcome } from '../../src/run/execute.js';
import type { RunEvent } from '../../src/run/events.js';
import type { Resume } from '../../src/run/record.js';
import type { OpenedData } from '../../src/data/kind.js';
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
  readonly execute: (suite: Suite, handlers?: Handlers, how?: How) => Promise<RunOutcome>;
  /** Executes a suite until a handler says that it is enough. */
  readonly interrupt: (suite: Suite, handlers: (stop: () => void) => Handlers) => Promise<void>;
}

/** How a suite is executed. */
interface How {
  readonly resume?: Resume;
  readonly signal?: AbortSignal;
  /** Address of a shared store. */
  readonly shared?: string;
  /** Left out, the built-in ones. */
  readonly images?: OpenedData;
}

/** What is done about events of a run, by their kinds. */
export type Handlers = {
  readonly [Kind in RunEvent['kind']]?: (event: Extract<RunEvent, { readonly kind: Kind }>) => unknown;
};

/** Gives each event to the handler of its kind. */
function dispatch(handlers: Handlers): (event: RunEvent) => void {
  return (event) => {
    const handle = handlers[event.kind] as ((event: RunEvent) => unknown) | undefined;
    handle?.(event);
  };
}

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

  const execute: RunBench['execute'] = (
    tiny,
    handlers = {},
    { resume = false, signal, shared, images = data } = {},
  ) =>
    executeSuite(tiny, {
      ...{ db, data: images, resume, shared, command: 'edgeflex run tiny' },
      signal: signal ?? new AbortController().signal,
      emit: dispatch(handlers),
    });

  const interrupt: RunBench['interrupt'] = async (tiny, handlers) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const watching = handlers(() => {
      controller.abort(reason);
    });
    await expect(execute(tiny, watching, { signal: controller.signal })).rejects.toBe(reason);
  };

  return { folder, db: () => db, suite, execute, interrupt };
}
