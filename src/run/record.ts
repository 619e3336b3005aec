import { randomBytes, randomUUID } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { jsonDifferences } from '../base/json-differences.js';
import { installedVersion } from '../base/paths.js';
import type { PluginRecord } from '../base/plugin.js';
import type { OpenedData } from '../data/kind.js';
import type { Device } from '../device/device.js';
import { deviceClass } from '../device/class.js';
import type { DeviceProfile } from '../device/kind.js';
import { deviceName } from '../device/profile.js';
import type { Environment } from '../protocol/environment.js';
import type { Db } from '../store/open.js';
import { RunLease } from '../store/lease.js';
import { resumableRun } from '../store/newest.js';
import { findRun, storedDevices } from '../store/read.js';
import { countRounds, hasRounds, storedRounds } from '../store/rounds.js';
import type { RunRow } from '../store/tables.js';
import { recordTakeover } from '../store/takeover.js';
import {
  endCell,
  insertRun,
  NOTHING_MADE,
  reopenRun,
  upsertCell,
  upsertDevice,
  upsertVariant,
} from '../store/write.js';
import { usualHead } from '../suite/head.js';
import { isTimed, type Plan } from '../suite/plan.js';
import type { Artifact } from './artifacts/artifact.js';
import { artifactIn, isRefused, type Cell, type RefusedVariant, type Subject, type Variant } from './cell.js';
import { readRepository } from './repository.js';
import type { DeviceSession } from './session.js';

/** Which run to go on with: a new one, the newest of the suite that was interrupted or has failed cells, or one by its id. */
export type Resume = false | true | string;

/** Which record is opened, and what it says of how it came about. */
export interface RecordRequest {
  /** How the user called us. */
  readonly command: string;
  readonly resume: Resume;
  /** The run of which this is a part, where others record more of it elsewhere; left out, the run is this one's alone. */
  readonly part?: RunPart;
  /** Plug-ins that take part. */
  readonly plugins?: readonly PluginRecord[];
}

/** A run whose parts are recorded in several places: what it is in all of them. */
export interface SharedRun {
  readonly id: string;
  /** A UUID. */
  readonly uid: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** How many devices it is measured on in all. */
  readonly places: number;
  /** State of the folder that it was submitted from; null outside a checkout. */
  readonly repository: object | null;
}

/** The part of a run that is measured on one device. */
export interface RunPart extends SharedRun {
  /** What the device is called in the run, whatever its profile says: two machines may have a `local-cpu` each. */
  readonly device: string;
  /** Whether an identical device may go on with what another one has begun. */
  readonly identical: boolean;
  /** The device that measures: that one, or an identical one. */
  readonly on: string;
}

/** The record of a run, and the right to write it. */
export interface OpenRecord {
  readonly run: RunRow;
  readonly lease: RunLease;
}

/**
 * Opens the record of a run: a new one, or one that was interrupted or has failed cells. No other process writes it until the lease is
 * given back.
 *
 * @param db - the store
 * @param plan - what is to be done
 * @param data - what it is scored on
 * @param devices - what it is measured on
 * @param request - which record, and what it says of the call
 * @param onLost - called when another process has taken the run over
 * @throws InputError when there is nothing to resume, another process works on it, or the plan, the data or a device has changed since
 */
export async function openRecord(
  db: Db,
  plan: Plan,
  data: OpenedData,
  devices: readonly Device[],
  { command, resume, part, plugins = [] }: RecordRequest,
  onLost: (reason: InputError) => void,
): Promise<OpenRecord> {
  const places = part?.places ?? plan.suite.devices.length;
  const planHash = planHashOf(plan, places, data, plugins);
  if (resume === false) {
    const repository = part === undefined ? await readRepository(process.cwd()) : part.repository;
    const run: RunRow = {
      id: part?.id ?? newRunId(new Date()),
      uid: part?.uid ?? randomUUID(),
      suite: plan.suite.name,
      plan_hash: planHash,
      seed: plan.suite.seed,
      command,
      version: installedVersion(),
      started_at: part?.startedAt ?? new Date().toISOString(),
      ended_at: null,
      data_json: JSON.stringify({
        name: data.test.name,
        hash: data.test.hash,
        testImages: data.test.count,
        labels: data.test.labels,
      }),
      repository_json: repository && JSON.stringify(repository),
      plugins_json: JSON.stringify(plugins),
      gates_json: JSON.stringify(plan.suite.gates),
      plan_json: JSON.stringify(planFacts(plan, places, data, plugins)),
      design_json: plan.suite.design ? JSON.stringify(plan.suite.design) : null,
    };
    await insertRun(db, run);
    return { run, lease: await RunLease.take(db, run.id, onLost) };
  }
  const run = await findRun(db, resume === true ? await resumableId(db, plan.suite.name) : resume);
  if (run.suite !== plan.suite.name)
    throw new InputError({
      source: '--resume',
      found: `run ${run.id}, which is one of the suite ${run.suite}`,
      expected: `a run of ${plan.suite.name}`,
      hint: 'A suite goes on by the name that it had.',
    });
  if (run.plan_hash !== planHash)
    throw new InputError({
      source: '--resume',
      found: `run ${run.id}, since which ${changedText(run, planFacts(plan, places, data, plugins))}`,
      expected: 'what the run was started with',
      hint: 'Undo the change, or run the suite without --resume.',
    });
  await checkDevices(db, run, devices, part?.identical ?? false);
  const lease = await RunLease.take(db, run.id, onLost);
  try {
    await reopenRun(db, run.id);
    if (part !== undefined && part.on !== part.device) await noteTakeover(db, run, part);
  } catch (error) {
    await lease.release();
    throw error;
  }
  return { run, lease };
}

/** Records that an identical device goes on with a part, unless nothing of it is measured yet. */
async function noteTakeover(db: Db, run: RunRow, { device, on }: RunPart): Promise<void> {
  const known = (await storedDevices(db, run.id)).find(({ row }) => row.name === device);
  const rounds = await countRounds(db);
  if (known !== undefined && rounds > 0)
    await recordTakeover(db, known.row.id, { device: on, since: new Date().toISOString(), rounds });
}

async function resumableId(db: Db, suite: string): Promise<string> {
  const run = await resumableRun(db, suite);
  if (run !== undefined) return run.id;
  throw new InputError({
    source: '--resume',
    found: `no unfinished run of ${suite}, and no failed cell in its newest`,
    expected: 'a run that was interrupted, or that has failed cells',
    hint: 'Run the suite without --resume to start a new one.',
  });
}

/**
 * The cells of a run, with their records: as an earlier execution left them, or new ones.
 *
 * @param db - the store
 * @param run - the run
 * @param plan - what is to be done
 * @param variants - of the plan, in its order
 * @param sessions - of the suite's devices, in its order
 * @returns those that can be measured, in the plan's order, and how many cannot, because nothing could be made of their variant
 * @throws InputError when a variant of a resumed run has become another artifact since
 */
export async function recordCells(
  db: Db,
  run: RunRow,
  plan: Plan,
  variants: readonly (Variant | RefusedVariant)[],
  sessions: readonly DeviceSession[],
): Promise<{ readonly cells: Cell[]; readonly refusedCells: number }> {
  const variantIds: number[] = [];
  for (const [position, variant] of variants.entries())
    variantIds.push(await recordVariant(db, run, position, variant));
  const deviceIds: number[] = [];
  for (const { device } of sessions) deviceIds.push(await recordDevice(db, run, device));
  const subjects = new Map<string, Subject>();
  const cells: Cell[] = [];
  let refusedCells = 0;
  for (const { variant: variantIndex, device: deviceIndex, scenario } of plan.cells) {
    const key = `${variantIndex} ${deviceIndex}`;
    const [variant, variantId] = [at(variants, variantIndex), at(variantIds, variantIndex)];
    const [session, deviceId] = [at(sessions, deviceIndex), at(deviceIds, deviceIndex)];
    const planned = {
      ...{ run_id: run.id, variant_id: variantId, device_id: deviceId },
      ...{ kind: scenario.kind, batch: scenario.batch },
      bound_ms: scenario.kind === 'server' ? scenario.p99 : null,
      tier: isTimed(scenario) ? scenario.tier : null,
      rounds: isTimed(scenario) ? scenario.rounds : 1,
      ...({ status: 'pending', reason: null, stopping_json: null } as const),
    };
    if (isRefused(variant)) {
      const { id, status } = await upsertCell(db, { ...planned, form: null, file_bytes: null });
      // What was measured before stays.
      if (status === 'done') continue;
      await endCell(db, id, 'failed', variant.failure);
      refusedCells++;
      continue;
    }
    const artifact = artifactIn(variant.artifacts, session.device.target);
    const subject = subjects.get(key) ?? { variant, session, artifact };
    subjects.set(key, subject);
    const { id, rounds, status } = await upsertCell(db, {
      ...planned,
      ...{ form: storedForm(artifact), file_bytes: artifact.fileBytes },
    });
    cells.push({ id, subject, scenario, rounds, status, stored: new Set(await storedRounds(db, id)) });
  }
  return { cells, refusedCells };
}

/** Where an artifact would be described. */
const nothingMade = { key: NOTHING_MADE, fileBytes: 0, parameters: 0, stages: [], embedding: undefined };

/** Substitutions as the store has them. */
function storedForm({ substitutions }: Artifact): string | null {
  return substitutions.length === 0 ? null : JSON.stringify(substitutions);
}

/** What lies at an index of the plan. */
function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`the plan names item ${index} of ${items.length}`);
  return item;
}

async function recordVariant(
  db: Db,
  run: RunRow,
  position: number,
  variant: Variant | RefusedVariant,
): Promise<number> {
  const { planned, model } = variant;
  const { recipe, published } = planned.recipe;
  const artifact = isRefused(variant) ? nothingMade : artifactIn(variant.artifacts, 'cpu');
  const { synthetic, card, record, scoredBy } = model;
  const { embedding: width } = artifact;
  const stored = await upsertVariant(db, {
    run_id: run.id,
    position,
    model: planned.model.name,
    recipe: recipe.name,
    description: recipe.description,
    synthetic: Number(synthetic),
    artifact: artifact.key,
    file_bytes: artifact.fileBytes,
    parameters: artifact.parameters,
    micro_batch: recipe.microBatch ?? null,
    stages_json: JSON.stringify(artifact.stages),
    published_json: published ? JSON.stringify(published) : null,
    card_json: card ? JSON.stringify(card) : null,
    model_json: JSON.stringify(record),
    features_json: scoredBy && width !== undefined ? JSON.stringify({ width, ...scoredBy }) : null,
  });
  if (!isRefused(variant) && stored.artifact !== artifact.key)
    throw new InputError({
      source: '--resume',
      found: `${planned.model.name} / ${recipe.name}, whose weights or code changed since run ${run.id} began`,
      expected: 'the model that was measured so far',
      hint: 'Undo the change, or run the suite without --resume.',
    });
  return stored.id;
}

async function recordDevice(db: Db, run: RunRow, { profile, environment, session }: Device): Promise<number> {
  return upsertDevice(db, {
    run_id: run.id,
    name: deviceName(profile),
    profile_json: JSON.stringify(profile),
    environment_json: JSON.stringify(environment),
    threads: session.threads,
  });
}

/** What a resumed run must find unchanged, by names that users know. */
function planFacts(
  { suite, variants }: Plan,
  places: number,
  data: OpenedData,
  plugins: readonly PluginRecord[],
): object {
  const { seed, accuracy, performance, load, head = usualHead } = suite;
  const recipes = variants.map(({ model, recipe: { recipe, seed: own } }) => [
    `${model.name} / ${recipe.name}`,
    {
      ...(own !== undefined && { seed: own }),
      stages: recipe.steps.map(({ stage, options }) => ({ [stage]: options })),
      microBatch: recipe.microBatch ?? null,
    },
  ]);
  return {
    ...{ seed, accuracy, performance, load: load ?? null, head },
    'number of devices': places,
    variants: Object.fromEntries(recipes) as object,
    data: { name: data.test.name, 'SHA-256': data.test.hash },
    plugins: Object.fromEntries(plugins.map(({ name, digest }) => [name, digest])) as object,
  };
}

/** So many differences are told one by one. */
const MOST_TOLD = 4;

/** What changed since a run began, in words. */
function changedText({ plan_json }: RunRow, now: object): string {
  if (plan_json === null) return 'the suite, its recipes or its images have changed';
  const written = (value: unknown): string => {
    if (value === undefined) return 'nothing';
    const text = JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 79)}…` : text;
  };
  // As it would have been stored: what is undefined is left out there.
  const changes = jsonDifferences(JSON.parse(plan_json), JSON.parse(JSON.stringify(now)));
  if (changes.length === 0) return 'this version of EdgeFlex plans it differently';
  const told = changes.slice(0, MOST_TOLD).map(({ place, before, after }) => {
    if (before === undefined) return `${place} is new`;
    if (after === undefined) return `${place} is gone`;
    return `${place} is ${written(after)} and was ${written(before)}`;
  });
  const more = changes.length - told.length;
  return [...told, ...(more > 0 ? [`${more} more places have changed`] : [])].join('; ');
}

/** Hash of what a resumed run must find unchanged. */
function planHashOf(
  { suite, variants }: Plan,
  places: number,
  data: OpenedData,
  plugins: readonly PluginRecord[],
): string {
  const { seed, accuracy, performance, load, head = usualHead } = suite;
  const named = variants.map(({ model, recipe }) => ({
    model: model.name,
    recipe: { ...recipe.recipe, description: undefined },
    ...(recipe.seed !== undefined && { seed: recipe.seed }),
  }));
  return hashJson({
    ...{ seed, accuracy, performance, devices: places, named, data: data.test.hash },
    // Without any it is the hash of older versions, whose runs can still be resumed.
    ...(load !== undefined && { load }),
    ...(hashJson(head) !== hashJson(usualHead) && { head }),
    ...(plugins.length > 0 && { plugins: plugins.map(({ digest }) => digest) }),
  });
}

/** A measurement that goes on elsewhere, or with another runtime, is not the same measurement. */
async function checkDevices(
  db: Db,
  run: RunRow,
  devices: readonly Device[],
  identical: boolean,
): Promise<void> {
  const known = await storedDevices(db, run.id);
  // None are stored when the run ended before its first cell.
  if (known.length === 0) return;
  for (const { profile, environment, session, fault } of devices) {
    // What cannot be used now measures nothing; what could not be used then did not.
    if (fault !== undefined) continue;
    const before = known.find(({ row }) => row.name === deviceName(profile));
    if (before && !(await hasRounds(db, before.row.id))) continue;
    const then =
      before &&
      comparable(JSON.parse(before.row.profile_json) as DeviceProfile, before.environment, identical);
    const same =
      then === comparable(profile, environment, identical) && before?.row.threads === session.threads;
    if (!same)
      throw new InputError({
        source: '--resume',
        found: `device ${profile.name}, which ${before ? 'changed since' : 'was not there when'} run ${run.id} began`,
        expected: 'the same machine, system, runtime, threads and session options',
        hint: 'Run the suite without --resume.',
      });
  }
}

/** The harness's own commit and a description may move on; what measures and what is measured on must not. */
function comparable(profile: DeviceProfile, environment: Environment, identical: boolean): string {
  if (identical) return deviceClass(profile, environment);
  return hashJson([
    { ...profile, description: undefined },
    { ...environment, git: null },
  ]);
}

/**
 * An id for a run: sortable by time, short enough to type: `20261122-101530-4f2a`.
 *
 * @param now - when it begins
 * @param bytes - of chance in it: more where many begin in one second
 */
export function newRunId(now: Date, bytes = 2): string {
  const [date, time] = now.toISOString().replace(/[-:]/g, '').slice(0, 15).split('T') as [string, string];
  return `${date}-${time}-${randomBytes(bytes).toString('hex')}`;
}
