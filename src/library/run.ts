import { basename } from 'node:path';
import { z } from 'zod';
import { defined } from '../base/defined.js';
import { Job } from '../base/job.js';
import { pathOf } from '../base/named.js';
import { checkedAddress, withoutPassword } from '../base/server-address.js';
import { shellWords } from '../base/shell-words.js';
import { limitBytes } from '../cache/limit.js';
import { THIS_MACHINE } from '../device/device.js';
import { namedModel } from '../model/source.js';
import { loadedPlugins, loadPlugins } from '../plugins/load.js';
import { PREPARING, REPORTING } from '../protocol/turns.js';
import { executeSuite } from '../run/execute.js';
import type { RunEvent } from '../run/events.js';
import { turnsOf } from '../run/turns.js';
import { listRuns, type RunSummary } from '../store/read.js';
import type { SuiteChanges } from '../suite/changes.js';
import { suiteHeadKinds, type SuiteHeadKind } from '../suite/head.js';
import { pluginsOf, readSuite, withOverrides, type Suite } from '../suite/read.js';
import { openImages, type ImagesEvent } from './images.js';
import { changeFields, checkedOptions, fields, signalOf, type Stoppable } from './options.js';
import { refuseServer, withResults, type Results } from './results.js';

/** What a run is asked for beside its suite. Paths are relative to the working folder. */
export interface RunOptions extends SuiteChanges, Stoppable {
  /** Another model in place of the suite's: a folder, a file of weights, `owner/name` on the Hugging Face Hub, or a built-in name. */
  readonly model?: string | undefined;
  /** ONNX files that are measured as they are beside the model. */
  readonly raw?: readonly string[] | undefined;
  /** More rounds are measured until the 95 % interval of each speed is this narrow: 0.01 for ±1 %. */
  readonly precision?: number | undefined;
  /** What a model gets that brings no classifier for the classes of the images; `none` compares features. */
  readonly head?: SuiteHeadKind | undefined;
  /** Whether every recipe is also measured with that classifier fitted anew behind it. */
  readonly refit?: boolean | undefined;
  /** Go on with an interrupted run, or try failed cells again: `true` for the newest of the suite, or the id of one. */
  readonly resume?: boolean | string | undefined;
  /** Plug-ins besides those that the suite names: paths that begin with `.` or `/`, or installed packages. */
  readonly plugins?: readonly string[] | undefined;
  /**
   * The address of a PostgreSQL database that gets what is measured as the run goes on, besides the folder. One that cannot be reached
   * meanwhile gets it later: the event `undelivered` says so, and `copyRuns` delivers what is left in the end.
   */
  readonly db?: string | undefined;
  /** How the run came about, for its record; left out, the arguments of this process. */
  readonly command?: string | undefined;
}

const optionsSchema = z.strictObject({
  ...fields,
  ...changeFields,
  model: z.string().optional(),
  raw: z.array(z.string()).optional(),
  precision: z.number().gt(0).lt(1).optional(),
  head: z.enum(suiteHeadKinds).optional(),
  refit: z.boolean().optional(),
  resume: z.union([z.boolean(), z.string().min(1)]).optional(),
  db: z.string().optional(),
  command: z.string().optional(),
});

/** What happens during a run. */
export type { RunEvent };

/**
 * Runs a suite: compresses its variants, measures every cell and stores what each yields as soon as it is known. A cell that
 * fails is stored with its reason, and the others go on.
 *
 * @param results - open for writing, or their folder, which is made where it is missing
 * @param suite - its file, or the name of a built-in one
 * @param options - what is wanted otherwise than the suite says
 * @returns a job that gives the run as it is stored when it has ended, and tells how far it is
 * @throws InputError when the suite, an option, a model, the images or a device profile cannot be used; DeviceError when no
 *   device can be; the signal's reason when it fires, whereupon `resume` goes on with what is missing
 *
 * @example
 * ```ts
 * const running = run('results', 'quickstart', { images: 64, batches: [1], tier: 'rapid', rounds: 2 });
 * for await (const event of running)
 *   if (event.kind === 'measuring') console.log(`${Math.round(100 * event.overall)} %`);
 * const { id, state } = await running;
 * ```
 */
export function run(
  results: Results | string,
  suite: string,
  options: RunOptions = {},
): Job<RunEvent | ImagesEvent, RunSummary> {
  return new Job((emit) => runNamed(results, suite, options, emit), isPassing);
}

async function runNamed(
  results: Results | string,
  reference: string,
  options: RunOptions,
  emit: (event: RunEvent | ImagesEvent) => void,
): Promise<RunSummary> {
  const checked = checkedOptions('run', options, optionsSchema);
  const suite = withWishes(await suiteAt(reference, checked.plugins), checked);
  return runSuite(results, suite, checked, emit);
}

/** What can be asked of a suite before it is run. */
export type PlanOptions = Omit<RunOptions, 'resume' | 'db' | 'command' | 'signal'>;

const planOptionsSchema = optionsSchema.omit({ resume: true, db: true, command: true, signal: true });

/**
 * A suite as it would be run.
 *
 * @param caller - the function that was called, for messages
 * @param reference - its file, or the name of a built-in one
 * @param options - what is wanted otherwise than the suite says
 * @throws InputError when the suite or an option is unusable
 */
export async function wishedSuite(caller: string, reference: string, options: PlanOptions): Promise<Suite> {
  const checked = checkedOptions(caller, options, planOptionsSchema);
  return withWishes(await suiteAt(reference, checked.plugins), checked);
}

/**
 * Reads a suite after the plug-ins that it needs are loaded.
 *
 * @param reference - its file, or the name of a built-in one
 * @param plugins - besides those that it names
 * @throws InputError when it is unusable
 */
export async function suiteAt(reference: string, plugins: readonly string[] = []): Promise<Suite> {
  const path = pathOf('suite', reference);
  await loadPlugins(plugins, HERE);
  await loadPlugins(await pluginsOf(path), path);
  return readSuite(path);
}

/** Plug-ins that a caller names are looked for from the working folder. */
export const HERE = './options.plugins';

function withWishes(suite: Suite, wishes: z.output<typeof planOptionsSchema>): Suite {
  const {
    model,
    raw: raws,
    devices = [],
    images,
    precision,
    batches,
    tier,
    rounds,
    head: kind,
    refit,
  } = wishes;
  return withOverrides(suite, {
    ...{ raws, images, precision, batches, tier, rounds, head: { kind, refit } },
    model: model === undefined ? undefined : namedModel(model),
    devices: devices.map((device) => pathOf('device', device)),
  });
}

/**
 * Runs a suite that was read.
 *
 * @param results - where to
 * @param suite - the suite
 * @param options - where its images lie, and how the run came about
 * @param emit - told what happens
 */
export async function runSuite(
  results: Results | string,
  suite: Suite,
  options: Pick<RunOptions, 'data' | 'resume' | 'db' | 'command' | 'signal'>,
  emit: (event: RunEvent | ImagesEvent) => void,
): Promise<RunSummary> {
  refuseServer(results);
  if (options.db !== undefined) checkedAddress(options.db, '--db');
  const gone = new AbortController();
  const signal = AbortSignal.any([signalOf(options), gone.signal]);
  const turns = await turnsOf(process.env, signal, (reason) => {
    gone.abort(reason);
  });
  await turns.take(THIS_MACHINE, PREPARING);
  const data = await openImages(suite.data, { given: options.data, signal, emit });
  // A limit that is none is refused here, and not when the first artifact has been made.
  limitBytes();
  return withResults(results, {}, async ({ db }) => {
    const { id } = await executeSuite(suite, {
      ...{ db, data, signal, emit, turns, shared: options.db },
      command: options.command ?? commandOfProcess(),
      resume: options.resume ?? false,
      plugins: loadedPlugins(),
    });
    await turns.take(THIS_MACHINE, REPORTING);
    return defined(
      (await listRuns(db)).find((each) => each.id === id),
      `run ${id}`,
    );
  });
}

function commandOfProcess(): string {
  const [, script = 'node', ...words] = process.argv;
  return withoutPassword(shellWords([basename(script), ...words]));
}

/** Whether an event only tells how far something is. */
export function isPassing({ kind }: RunEvent | ImagesEvent): boolean {
  return ['opening-images', 'loading', 'compressing', 'measuring'].includes(kind);
}
