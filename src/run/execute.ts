import { availableParallelism } from 'node:os';
import { closeAll } from '../base/close.js';
import { DeviceError, InputError, messageOf, ResourceError } from '../base/errors.js';
import type { GraphTarget } from '../base/target.js';
import type { OpenedData } from '../data/kind.js';
import { scoredRecords } from '../data/records.js';
import { drawTrainingImages } from '../data/training-images.js';
import type { Device } from '../device/device.js';
import { openDevices } from '../device/open.js';
import type { Claim, DeviceProfile } from '../device/kind.js';
import { deviceName, readDeviceProfile } from '../device/profile.js';
import { kindOf } from '../device/registry.js';
import type { RootFailure } from '../protocol/failure.js';
import { nodeEngine } from '../runtime/node.js';
import type { Db } from '../store/open.js';
import type { RunLease } from '../store/lease.js';
import { deleteRuns } from '../store/prune.js';
import { endRun } from '../store/write.js';
import { isBaseline } from '../suite/baseline.js';
import { usualHead } from '../suite/head.js';
import { isRaw, planOf, planWithout, type Plan, type PlannedVariant } from '../suite/plan.js';
import type { Suite } from '../suite/read.js';
import { artifactsOf } from './artifacts/artifact.js';
import { isRefused, type RefusedVariant, type Variant } from './cell.js';
import { refuseRefit, withFittingHead } from './fit-head.js';
import { localModel } from '../model/load.js';
import { fetchStep, type EmitRunEvent } from './events.js';
import { Delivery } from './delivery.js';
import { checkRawFiles, loadedOrRaw, namesOfRaw, rawVariant, type RunModel } from './raw-variant.js';
import { openRecord, recordCells, type RecordRequest } from './record.js';
import { measureRounds } from './rounds.js';
import { RunState } from './run-state.js';
import { DeviceSession } from './session.js';
import { alone, type Turns } from './turns.js';

/** What a run needs besides its suite. */
export interface RunOptions extends RecordRequest {
  readonly db: Db;
  readonly data: OpenedData;
  /** Address of a shared store that gets what is measured while the run goes on; undefined: none. */
  readonly shared?: string | undefined;
  /** Told what happens. */
  readonly emit: EmitRunEvent;
  /** Stops the run; what was stored stays. */
  readonly signal: AbortSignal;
  /** With the runs of other processes that measure on the same machines; left out, there are none. */
  readonly turns?: Turns;
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
 * @param options - store, images, who is told
 * @throws InputError when a model, a recipe or a device profile is unusable; DeviceError when no device can be used; the signal's reason when it fires
 */
export async function executeSuite(suite: Suite, options: RunOptions): Promise<RunOutcome> {
  const { db, data, emit, turns = alone } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const stop = (reason: unknown): void => {
    stopping.abort(reason);
  };
  // That there is too much of it is known before anything is fetched.
  planOf(suite);
  const scoredImages = scoredImagesOf(suite, data);
  // What cannot be reached is known in seconds; to fetch, fit and compress what would run there may take an hour.
  const profiles = await profilesOf(suite);
  const { part } = options;
  const devices = await openDevices(
    part === undefined ? profiles : profiles.map((profile) => ({ ...profile, name: part.device })),
  );
  const sessions = devices.map((device) => new DeviceSession(device, data, scoredImages, suite.seed, signal));
  let lease: RunLease | undefined;
  let fresh: string | undefined;
  let delivery: Delivery | undefined;
  let isRecorded = false;
  let isOver = false;
  try {
    checkUsable(devices, emit);
    if (options.shared !== undefined) delivery = await Delivery.open(db, options.shared, emit);
    const models = await loadModels(suite, data, scoredImages, signal, emit);
    const plan = planOf(suite, namesOfRaw(models));
    refuseHeadless(plan, models);
    await checkRawFiles(plan, models, data.train);
    const opened = await openRecord(db, plan, data, devices, options, stop);
    lease = opened.lease;
    const { run } = opened;
    if (options.resume === false) fresh = run.id;
    emit({
      ...{ kind: 'started', id: run.id },
      ...{ variants: plan.variants.length, cells: plan.cells.length, rounds: plan.rounds.length },
    });
    const variants = await makeVariants(plan, models, data, devices, signal, emit);
    const { cells, refusedCells } = await recordCells(db, run, plan, variants, sessions);
    isRecorded = true;
    await delivery?.begin(run.id);
    const refused = new Set([...variants.keys()].filter((index) => isRefused(variants[index])));
    const state = new RunState(db, cells);
    const failedCells = await measureRounds({
      ...{ plan: planWithout(plan, refused), state, data, signal, stop, emit, turns },
      onStored: () => delivery?.deliver(),
    });
    await endRun(db, run.id, new Date().toISOString());
    isOver = true;
    return { id: run.id, failedCells: failedCells + refusedCells };
  } catch (error) {
    // Nothing of it is worth going on with, unless the user has stopped it.
    if (fresh !== undefined && !isRecorded && !signal.aborted) {
      await lease?.release();
      lease = undefined;
      await deleteRuns(db, [fresh]);
    }
    throw error;
  } finally {
    for (const { item, error } of await closeAll(sessions))
      emit({ kind: 'unclosed', device: deviceName(item.device.profile), reason: messageOf(error) });
    await lease?.release();
    await delivery?.close(isOver);
  }
}

/** What making a suite's variants ready needs. */
export type PrepareOptions = Pick<RunOptions, 'data' | 'emit' | 'signal'>;

/**
 * Compresses the variants of a suite into the cache, in the form that processors take, and measures nothing: a run finds them there.
 *
 * @param suite - the suite; its devices do not matter
 * @param options - images, who is told
 * @returns how many variants nothing can be made of
 * @throws InputError when a model or a recipe is unusable; the signal's reason when it fires
 */
export async function prepareSuite(suite: Suite, { data, emit, signal }: PrepareOptions): Promise<number> {
  const models = await loadModels(suite, data, scoredImagesOf(suite, data), signal, emit);
  const plan = planOf(suite, namesOfRaw(models));
  refuseHeadless(plan, models);
  await checkRawFiles(plan, models, data.train);
  const variants = await makeVariants(plan, models, data, [], signal, emit);
  return variants.filter(isRefused).length;
}

/** @throws DeviceError when no device can be used */
function checkUsable(devices: readonly Device[], emit: EmitRunEvent): void {
  const faults = devices.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0 && faults.length === devices.length) throw new DeviceError(faults.join('\n'));
  for (const { profile, fault } of devices)
    if (fault !== undefined) emit({ kind: 'unusable', device: deviceName(profile), reason: fault });
}

/** How many test images are classified: those that the suite asks for, or all. */
function scoredImagesOf({ path, accuracy: { images } }: Suite, { test }: OpenedData): number {
  if (images === undefined || images <= test.count) return images ?? test.count;
  throw new InputError({
    source: path,
    place: 'accuracy.images',
    found: `${images} images to score`,
    expected: `at most ${test.count}, the test images of ${test.name}`,
    hint: 'Leave out the number (and --images) to score all of them.',
  });
}

/**
 * The device profiles of a suite.
 *
 * @throws InputError when one is none, or two cannot be used in one run
 */
export async function profilesOf({ devices }: Suite): Promise<DeviceProfile[]> {
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
  scoredImages: number,
  signal: AbortSignal,
  emit: EmitRunEvent,
): Promise<Map<string, RunModel>> {
  const models = new Map<string, RunModel>();
  for (const model of suite.models) {
    const local = await localModel(model, {
      signal,
      onProgress: (progress) => {
        emit({ kind: 'loading', model: model.name, ...fetchStep(progress) });
      },
    });
    const loaded = await loadedOrRaw(model, local, data.train);
    const onProgress =
      (task: string) =>
      (done: number, text: string): void => {
        emit({ kind: 'loading', model: model.name, task, done, text });
      };
    // Decoding takes every core: it is over before anything is timed.
    await scoredRecords(data.test, loaded.preprocessing, scoredImages, {
      signal,
      onProgress: onProgress('images'),
    });
    if ('reason' in loaded) {
      models.set(model.name, loaded);
      continue;
    }
    const fitted = await withFittingHead(loaded, suite.head ?? usualHead, {
      ...{ engine: await nodeEngine(), threads: availableParallelism() },
      ...{ train: data.train, seed: suite.seed, signal, onProgress: onProgress('head') },
    });
    const { scoredBy, preprocessing } = fitted;
    if (scoredBy)
      await drawTrainingImages(data.train, preprocessing, scoredBy.images, suite.seed, 0, {
        signal,
        onProgress: onProgress('bank'),
      });
    models.set(model.name, fitted);
  }
  return models;
}

/** @throws InputError where a recipe fits a head to a model that stays without, or more neighbours vote than there are images */
function refuseHeadless({ suite, variants }: Plan, models: ReadonlyMap<string, RunModel>): void {
  for (const planned of variants) {
    const model = models.get(planned.model.name);
    if (model === undefined || 'reason' in model || model.scoredBy === undefined) continue;
    const { neighbours, images } = model.scoredBy;
    if (neighbours > images)
      throw new InputError({
        source: suite.path,
        place: 'head.neighbours',
        found: `${neighbours} neighbours among ${images} training images`,
        expected: 'no more than there are images',
      });
    refuseRefit(model, planned.recipe.recipe);
  }
}

/**
 * Why nothing can be made of a variant.
 *
 * @param error - what compressing has thrown
 * @throws it where it is about more than this variant: the cache, the disk, a user who has stopped
 */
function refusalOf(error: unknown, { recipe }: PlannedVariant, signal: AbortSignal): RootFailure {
  // Without a baseline nothing can be said of the others.
  const concernsAll = signal.aborted || isBaseline(recipe.recipe.name) || error instanceof ResourceError;
  if (concernsAll) throw error;
  if (!(error instanceof InputError)) return { kind: 'not-compressed', text: messageOf(error) };
  const { source, place, found, expected } = error.fault;
  if (source !== 'recipe') throw error;
  return { kind: 'recipe-refused', ...(place !== undefined && { place }), found, expected };
}

/**
 * Why a file that stands beside a model's variants cannot be run as it is.
 *
 * @param error - what making it ready has thrown
 * @throws it where it is about more than this variant: the model itself is such a file, the disk is full, the user has stopped
 */
function fileRefusalOf(error: unknown, { recipe }: PlannedVariant, signal: AbortSignal): RootFailure {
  if (signal.aborted || recipe.raw === undefined || !(error instanceof InputError)) throw error;
  const { source: file, place, found, expected } = error.fault;
  return { kind: 'file-refused', file, ...(place !== undefined && { place }), found, expected };
}

/** What is known of a file that could not be run. */
const UNREAD_FILE: Variant['model'] = {
  ...{ synthetic: false, card: undefined },
  record: { source: 'onnx', notes: [] },
};

async function makeVariants(
  plan: Plan,
  models: ReadonlyMap<string, RunModel>,
  data: OpenedData,
  devices: readonly Device[],
  signal: AbortSignal,
  emit: EmitRunEvent,
): Promise<(Variant | RefusedVariant)[]> {
  const engine = await nodeEngine();
  // Every run has the CPU's form: it says how large a variant is and what its artifact's name is.
  const targets = new Set<GraphTarget>(['cpu', ...devices.map(({ target }) => target)]);
  const variants: (Variant | RefusedVariant)[] = [];
  for (const [index, planned] of plan.variants.entries()) {
    const { recipe } = planned.recipe;
    const name = `${planned.model.name} / ${recipe.name}`;
    const model = models.get(planned.model.name);
    if (model === undefined) throw new Error(`the model ${planned.model.name} was not loaded`);
    const started = performance.now();
    emit({ kind: 'compressing', variant: name, done: 0, text: 'looking in the cache' });
    if (isRaw(planned)) {
      const raw = await rawVariant(planned, model, plan, { targets, images: data.train, signal }).catch(
        (error: unknown) => ({ failure: fileRefusalOf(error, planned, signal) }),
      );
      if ('failure' in raw) {
        emit({ kind: 'refused', variant: name, failure: raw.failure });
        variants.push({ planned, model: UNREAD_FILE, failure: raw.failure });
        continue;
      }
      emit({
        kind: 'compressed',
        variant: name,
        seconds: (performance.now() - started) / 1000,
        cached: raw.cached,
      });
      variants.push({ planned, name: plan.suite.models.length > 1 ? name : recipe.name, ...raw.variant });
      continue;
    }
    if ('reason' in model) throw new Error(`${name} is planned for a model that was not recognised`);
    const made = await artifactsOf(model, recipe, targets, {
      engine,
      threads: availableParallelism(),
      train: data.train,
      seed: seedOf(planned, plan),
      onProgress: (done, what, secondsLeft) => {
        emit({ kind: 'compressing', variant: name, done, text: what, secondsLeft });
      },
      next: plan.variants
        .slice(index + 1)
        .filter(
          (variant) =>
            variant.model === planned.model &&
            !isRaw(variant) &&
            seedOf(variant, plan) === seedOf(planned, plan),
        )
        .map((variant) => variant.recipe.recipe),
      device: devices.find(({ hidesPeak, fault }) => hidesPeak !== true && fault === undefined),
      signal,
    }).then(
      (artifacts) => ({ artifacts }),
      (error: unknown) => ({ failure: refusalOf(error, planned, signal) }),
    );
    if ('failure' in made) {
      emit({ kind: 'refused', variant: name, failure: made.failure });
      variants.push({ planned, model, failure: made.failure });
      continue;
    }
    const { artifacts } = made;
    const cached = [...artifacts.values()].every((artifact) => artifact.cached);
    emit({ kind: 'compressed', variant: name, seconds: (performance.now() - started) / 1000, cached });
    for (const { substitutions } of artifacts.values())
      if (substitutions.length > 0) emit({ kind: 'rewritten', variant: name, substitutions });
    variants.push({
      planned,
      name: plan.suite.models.length > 1 ? name : recipe.name,
      isBaseline: isBaseline(recipe.name),
      ...{ model, artifacts },
    });
  }
  return variants;
}

/** Determines what is drawn while a variant is made. */
function seedOf({ recipe }: PlannedVariant, { suite }: Plan): number {
  return recipe.seed ?? suite.seed;
}
