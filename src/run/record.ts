import { randomBytes } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { installedVersion } from '../base/paths.js';
import type { PluginRecord } from '../base/plugin.js';
import type { OpenedData } from '../data/kind.js';
import type { Device } from '../device/device.js';
import { deviceName } from '../device/profile.js';
import type { Environment } from '../protocol/environment.js';
import type { Db } from '../store/open.js';
import { RunLease } from '../store/lease.js';
import { resumableRun } from '../store/newest.js';
import { findRun, hasRounds, storedDevices, storedRounds } from '../store/read.js';
import type { RunRow } from '../store/tables.js';
import { insertRun, reopenRun, upsertCell, upsertDevice, upsertVariant } from '../store/write.js';
import type { Plan } from '../suite/plan.js';
import type { Artifact } from './artifacts/artifact.js';
import { artifactIn, type Cell, type Subject, type Variant } from './cell.js';
import { readRepository } from './repository.js';
import type { DeviceSession } from './session.js';

/** Which run to go on with: a new one, the newest of the suite that was interrupted or has failed cells, or one by its id. */
export type Resume = false | true | string;

/** Which record is opened, and what it says of how it came about. */
export interface RecordRequest {
  /** How the user called us. */
  readonly command: string;
  readonly resume: Resume;
  /** Plug-ins that take part. */
  readonly plugins?: readonly PluginRecord[];
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
  { command, resume, plugins = [] }: RecordRequest,
  onLost: (reason: InputError) => void,
): Promise<OpenRecord> {
  const planHash = planHashOf(plan, data, plugins);
  if (resume === false) {
    const repository = await readRepository(process.cwd());
    const run: RunRow = {
      id: newRunId(new Date()),
      suite: plan.suite.name,
      plan_hash: planHash,
      seed: plan.suite.seed,
      command,
      version: installedVersion(),
      started_at: new Date().toISOString(),
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
    };
    await insertRun(db, run);
    return { run, lease: await RunLease.take(db, run.id, onLost) };
  }
  const run = await findRun(db, resume === true ? await resumableId(db, plan.suite.name) : resume);
  if (run.plan_hash !== planHash)
    throw new InputError({
      source: '--resume',
      found: `run ${run.id}, which was planned from another suite, other recipes or other images`,
      expected: 'what the run was started with',
      hint: 'Put it back as it was, or run the suite without --resume.',
    });
  await checkDevices(db, run, devices);
  const lease = await RunLease.take(db, run.id, onLost);
  try {
    await reopenRun(db, run.id);
  } catch (error) {
    await lease.release();
    throw error;
  }
  return { run, lease };
}

async function resumableId(db: Db, suite: string): Promise<string> {
  const run = await resumableRun(db, suite);
  if (run !== undefined) return run.id;
  throw new InputError({
    source: '--resume',
    found: `no unfinished run of ${suite}, and no failed cell in its newest`,
    expected: 'a run that was interrupted, or of which cells failed',
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
 * @returns in the plan's order
 * @throws InputError when a variant of a resumed run has become another artifact since
 */
export async function recordCells(
  db: Db,
  run: RunRow,
  plan: Plan,
  variants: readonly Variant[],
  sessions: readonly DeviceSession[],
): Promise<Cell[]> {
  const variantIds: number[] = [];
  for (const [position, variant] of variants.entries())
    variantIds.push(await recordVariant(db, run, position, variant));
  const deviceIds: number[] = [];
  for (const { device } of sessions) deviceIds.push(await recordDevice(db, run, device));
  const subjects = new Map<string, Subject>();
  const cells: Cell[] = [];
  for (const { variant: variantIndex, device: deviceIndex, scenario } of plan.cells) {
    const key = `${variantIndex} ${deviceIndex}`;
    const [variant, variantId] = [at(variants, variantIndex), at(variantIds, variantIndex)];
    const [session, deviceId] = [at(sessions, deviceIndex), at(deviceIds, deviceIndex)];
    const artifact = artifactIn(variant.artifacts, session.device.target);
    const subject = subjects.get(key) ?? { variant, session, artifact };
    subjects.set(key, subject);
    const { id, rounds, status } = await upsertCell(db, {
      ...{ run_id: run.id, variant_id: variantId, device_id: deviceId },
      ...{ kind: scenario.kind, batch: scenario.batch },
      tier: scenario.kind === 'performance' ? scenario.tier : null,
      rounds: scenario.kind === 'performance' ? scenario.rounds : 1,
      ...{ status: 'pending', reason: null, stopping_json: null },
      ...{ form: storedForm(artifact), file_bytes: artifact.fileBytes },
    });
    cells.push({ id, subject, scenario, rounds, status, stored: new Set(await storedRounds(db, id)) });
  }
  return cells;
}

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

async function recordVariant(db: Db, run: RunRow, position: number, variant: Variant): Promise<number> {
  const { planned, model, artifacts } = variant;
  const { recipe, published } = planned.recipe;
  const artifact = artifactIn(artifacts, 'cpu');
  const { synthetic, card, record } = model;
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
  });
  if (stored.artifact !== artifact.key)
    throw new InputError({
      source: '--resume',
      found: `${planned.model.name} / ${recipe.name}, whose weights or code changed since run ${run.id} began`,
      expected: 'the model that was measured so far',
      hint: 'Put it back as it was, or run the suite without --resume.',
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

/** Hash of what a resumed run must find unchanged. */
function planHashOf({ suite, variants }: Plan, data: OpenedData, plugins: readonly PluginRecord[]): string {
  const { seed, accuracy, performance, devices } = suite;
  const named = variants.map(({ model, recipe }) => ({
    model: model.name,
    recipe: { ...recipe.recipe, description: undefined },
  }));
  return hashJson({
    ...{ seed, accuracy, performance, devices: devices.length, named, data: data.test.hash },
    // Without any it is the hash of older versions, whose runs can still be resumed.
    ...(plugins.length > 0 && { plugins: plugins.map(({ digest }) => digest) }),
  });
}

/** A measurement that goes on elsewhere, or with another runtime, is not the same measurement. */
async function checkDevices(db: Db, run: RunRow, devices: readonly Device[]): Promise<void> {
  const known = await storedDevices(db, run.id);
  // None are stored when the run ended before its first cell.
  if (known.length === 0) return;
  for (const { profile, environment, session, fault } of devices) {
    // What cannot be used now measures nothing; what could not be used then did not.
    if (fault !== undefined) continue;
    const before = known.find(({ row }) => row.name === deviceName(profile));
    if (before && !(await hasRounds(db, before.row.id))) continue;
    const then = before && comparable(JSON.parse(before.row.profile_json) as object, before.environment);
    const same = then === comparable(profile, environment) && before?.row.threads === session.threads;
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
function comparable(profile: object, environment: Environment): string {
  return hashJson([
    { ...profile, description: undefined },
    { ...environment, git: null },
  ]);
}

/** Sortable by time, short enough to type: `20261122-101530-4f2a`. */
function newRunId(now: Date): string {
  const [date, time] = now.toISOString().replace(/[-:]/g, '').slice(0, 15).split('T') as [string, string];
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
}
