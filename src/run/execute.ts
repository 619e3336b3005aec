import { availableParallelism } from 'node:os';
import { closeAll } from '../base/close.js';
import { DeviceError, InputError, messageOf } from '../base/errors.js';
import type { GraphTarget } from '../base/target.js';
import type { OpenedData } from '../data/kind.js';
import type { Device } from '../device/device.js';
import { openDevices } from '../device/open.js';
import type { Claim, DeviceProfile } from '../device/kind.js';
import { deviceName, readDeviceProfile } from '../device/profile.js';
import { kindOf } from '../device/registry.js';
import { nodeEngine } from '../runtime/node.js';
import type { Db } from '../store/open.js';
import type { RunLease } from '../store/lease.js';
import { endRun } from '../store/write.js';
import { isBaseline } from '../suite/baseline.js';
import { planOf, type Plan } from '../suite/plan.js';
import type { Suite } from '../suite/read.js';
import { artifactsOf } from './artifacts/artifact.js';
import type { Variant } from './cell.js';
import { withFittingHead } from './fit-head.js';
import { loadModel, localModel, type LoadedModel } from '../model/load.js';
import { fetchWords, type RunObserver } from './observer.js';
import { openRecord, recordCells, type RecordRequest } from './record.js';
import { measureRounds } from './rounds.js';
import { RunState } from './run-state.js';
import { DeviceSession } from './session.js';

/** What a run needs besides its suite. */
export interface RunOptions extends RecordRequest {
  readonly db: Db;
  readonly data: OpenedData;
  readonly observer: RunObserver;
  /** Stops the run; what was stored stays. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface RunOutcome {
  readonly id: string;
  readonly failedCells: number;
}

/**
 * Executes a suite: compresses its variants, measures every cell and stores what they yield.
 *
 * @param suite - the suite
 * @param options - store, images, observer
 * @throws InputError when a model, a recipe or a device profile is unusable; DeviceError when no device can be used; the signal's reason when it fires
 */
export async function executeSuite(suite: Suite, options: RunOptions): Promise<RunOutcome> {
  const { db, data, observer } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const stop = (reason: unknown): void => {
    stopping.abort(reason);
  };
  const plan = planOf(suite);
  const scoredImages = scoredImagesOf(suite, data);
  // What cannot be reached is known in seconds; to fetch, fit and compress what would run there may take an hour.
  const devices = await openDevices(await profilesOf(suite));
  const sessions = devices.map((device) => new DeviceSession(device, data, scoredImages, signal));
  let lease: RunLease | undefined;
  try {
    checkUsable(devices, observer);
    const models = await loadModels(suite, data, signal, observer);
    const opened = await openRecord(db, plan, data, devices, options, stop);
    lease = opened.lease;
    const { run } = opened;
    observer.started(run.id, plan);
    const variants = await makeVariants(plan, models, data, devices, signal, observer);
    const cells = await recordCells(db, run, plan, variants, sessions);
    const state = new RunState(db, cells);
    const failedCells = await measureRounds({ plan, state, data, signal, stop, observer });
    await endRun(db, run.id, new Date().toISOString());
    return { id: run.id, failedCells };
  } finally {
    for (const { item, error } of await closeAll(sessions))
      observer.unclosed(deviceName(item.device.profile), messageOf(error));
    await lease?.release();
  }
}

/** @throws DeviceError when no device can be used */
function checkUsable(devices: readonly Device[], observer: RunObserver): void {
  const faults = devices.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0 && faults.length === devices.length) throw new DeviceError(faults.join('\n'));
  for (const { profile, fault } of devices)
    if (fault !== undefined) observer.unusable(deviceName(profile), fault);
}

/** How many test images are classified: those that the suite asks for, or all. */
function scoredImagesOf({ path, accuracy: { images } }: Suite, { test }: OpenedData): number {
  if (images === undefined || images <= test.count) return images ?? test.count;
  throw new InputError({
    source: path,
    place: 'accuracy.images',
    found: `${images} images to be scored`,
    expected: `at most ${test.count}, the test images of ${test.name}`,
    hint: 'Without a number (and without --images) all of them are scored.',
  });
}

async function profilesOf({ devices }: Suite): Promise<DeviceProfile[]> {
  const profiles: DeviceProfile[] = [];
  for (const path of devices) {
    const profile = await readDeviceProfile(path);
    if (profiles.some(({ name }) => name === profile.name))
      throw new InputError({
        source: path,
        place: 'name',
        found: `a second device called ${profile.name}`,
        expected: 'different names',
      });
    const claim = claimOf(profile);
    const other = claim && profiles.find((each) => claimOf(each)?.what === claim.what);
    if (claim && other)
      throw new InputError({
        source: path,
        place: claim.place,
        found: `${claim.what}, which ${other.name} has`,
        expected: `another ${claim.place} for each device of a run`,
        hint: claim.hint,
      });
    profiles.push(profile);
  }
  return profiles;
}

function claimOf(profile: DeviceProfile): Claim | undefined {
  return kindOf(profile).claim?.(profile);
}

async function loadModels(
  suite: Suite,
  data: OpenedData,
  signal: AbortSignal,
  observer: RunObserver,
): Promise<Map<string, LoadedModel>> {
  const models = new Map<string, LoadedModel>();
  for (const model of suite.models) {
    const local = await localModel(model, {
      signal,
      onProgress: (progress) => {
        observer.compressing(model.name, ...fetchWords(progress));
      },
    });
    const loaded = await loadModel(local, data.train.labels);
    const fitted = await withFittingHead(loaded, {
      ...{ engine: await nodeEngine(), threads: availableParallelism() },
      ...{ train: data.train, seed: suite.seed, signal },
      onProgress: (done, what) => {
        observer.compressing(model.name, done, what);
      },
    });
    models.set(model.name, fitted);
  }
  return models;
}

async function makeVariants(
  plan: Plan,
  models: ReadonlyMap<string, LoadedModel>,
  data: OpenedData,
  devices: readonly Device[],
  signal: AbortSignal,
  observer: RunObserver,
): Promise<Variant[]> {
  const engine = await nodeEngine();
  // Every run has the CPU's form: it says how large a variant is and what its artifact's name is.
  const targets = new Set<GraphTarget>(['cpu', ...devices.map(({ target }) => target)]);
  const variants: Variant[] = [];
  for (const [index, planned] of plan.variants.entries()) {
    const { recipe } = planned.recipe;
    const name = `${planned.model.name} / ${recipe.name}`;
    const model = models.get(planned.model.name);
    if (model === undefined) throw new Error(`the model ${planned.model.name} was not loaded`);
    const started = performance.now();
    observer.compressing(name, 0, 'looking in the cache');
    const artifacts = await artifactsOf(model, recipe, targets, {
      engine,
      threads: availableParallelism(),
      train: data.train,
      seed: plan.suite.seed,
      onProgress: (done, what, secondsLeft) => {
        observer.compressing(name, done, what, secondsLeft);
      },
      next: plan.variants
        .slice(index + 1)
        .filter((variant) => variant.model === planned.model)
        .map((variant) => variant.recipe.recipe),
      device: devices.find(({ hidesPeak, fault }) => hidesPeak !== true && fault === undefined),
      signal,
    }).catch((error: unknown) => {
      if (error instanceof InputError || signal.aborted) throw error;
      throw new DeviceError(`${name} could not be compressed: ${messageOf(error)}`, { cause: error });
    });
    const cached = [...artifacts.values()].every((artifact) => artifact.cached);
    observer.compressed(name, (performance.now() - started) / 1000, cached);
    for (const { substitutions } of artifacts.values())
      if (substitutions.length > 0) observer.rewritten(name, substitutions);
    variants.push({
      planned,
      name: plan.suite.models.length > 1 ? name : recipe.name,
      isBaseline: isBaseline(recipe.name),
      ...{ model, artifacts },
    });
  }
  return variants;
}
