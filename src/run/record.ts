import { randomBytes } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { installedVersion } from '../base/paths.js';
import type { OpenedData } from '../data/open.js';
import type { Device } from '../device/device.js';
import { deviceName } from '../device/profile.js';
import type { Environment } from '../protocol/environment.js';
import type { Db } from '../store/open.js';
import { findRun, findUnfinished, hasRounds, storedDevices } from '../store/read.js';
import type { CellRow, RunRow } from '../store/tables.js';
import { insertRun, retryFailedCells, upsertCell, upsertDevice, upsertVariant } from '../store/write.js';
import type { Plan } from '../suite/plan.js';
import type { Artifacts } from './artifacts/artifact.js';
import type { LoadedModel } from '../model/load.js';
import { readRepository } from './repository.js';

/** Which run to go on with: a new one, the newest unfinished one of the suite, or one by its id. */
export type Resume = false | true | string;

/**
 * Opens the record of a run: a new one, or one that was interrupted.
 *
 * @param db - the store
 * @param plan - what is to be done
 * @param data - what it is scored on
 * @param devices - what it is measured on
 * @param command - how the user called us
 * @param resume - which run to go on with
 * @throws InputError when there is nothing to resume, or the plan, the data or a device has changed since
 */
export async function openRecord(
  db: Db,
  plan: Plan,
  data: OpenedData,
  devices: readonly Device[],
  command: string,
  resume: Resume,
): Promise<RunRow> {
  const planHash = planHashOf(plan, data);
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
    };
    await insertRun(db, run);
    return run;
  }
  const run = resume === true ? await findUnfinished(db, plan.suite.name) : await findRun(db, resume);
  if (run === undefined)
    throw new InputError({
      source: '--resume',
      found: `no unfinished run of ${plan.suite.name}`,
      expected: 'a run that was interrupted',
      hint: 'Run the suite without --resume to start a new one.',
    });
  if (run.plan_hash !== planHash)
    throw new InputError({
      source: '--resume',
      found: `run ${run.id}, which was planned from another suite, other recipes or other images`,
      expected: 'what the run was started with',
      hint: 'Put it back as it was, or run the suite without --resume.',
    });
  await checkDevices(db, run, devices);
  await retryFailedCells(db, run.id);
  return run;
}

/**
 * Records of a run's cells, in the plan's order.
 *
 * @throws InputError when a variant of a resumed run has become another artifact since
 */
export async function recordCells(
  db: Db,
  run: RunRow,
  plan: Plan,
  models: ReadonlyMap<string, LoadedModel>,
  artifacts: readonly Artifacts[],
  devices: readonly Device[],
): Promise<CellRow[]> {
  const variantIds: number[] = [];
  for (const [position, { model, recipe }] of plan.variants.entries()) {
    const artifact = artifacts[position]!.get('cpu')!;
    const { synthetic, card, record } = models.get(model.name)!;
    const variant = await upsertVariant(db, {
      run_id: run.id,
      position,
      model: model.name,
      recipe: recipe.recipe.name,
      description: recipe.recipe.description,
      synthetic: Number(synthetic),
      artifact: artifact.key,
      file_bytes: artifact.fileBytes,
      parameters: artifact.parameters,
      micro_batch: recipe.recipe.microBatch ?? null,
      stages_json: JSON.stringify(artifact.stages),
      published_json: recipe.published ? JSON.stringify(recipe.published) : null,
      card_json: card ? JSON.stringify(card) : null,
      model_json: JSON.stringify(record),
    });
    if (variant.artifact !== artifact.key)
      throw new InputError({
        source: '--resume',
        found: `${model.name} / ${recipe.recipe.name}, whose weights or code changed since run ${run.id} began`,
        expected: 'the model that was measured so far',
        hint: 'Put it back as it was, or run the suite without --resume.',
      });
    variantIds.push(variant.id);
  }
  const deviceIds: number[] = [];
  for (const { profile, environment, session } of devices)
    deviceIds.push(
      await upsertDevice(db, {
        run_id: run.id,
        name: deviceName(profile),
        profile_json: JSON.stringify(profile),
        environment_json: JSON.stringify(environment),
        threads: session.threads,
      }),
    );
  const rows: CellRow[] = [];
  for (const { variant, device, scenario } of plan.cells) {
    const { instead, fileBytes } = artifacts[variant]!.get(devices[device]!.target)!;
    rows.push(
      await upsertCell(db, {
        run_id: run.id,
        variant_id: variantIds[variant]!,
        device_id: deviceIds[device]!,
        kind: scenario.kind,
        batch: scenario.batch,
        tier: scenario.kind === 'performance' ? scenario.tier : null,
        rounds: scenario.kind === 'performance' ? scenario.rounds : 1,
        status: 'pending',
        reason: null,
        stopping_json: null,
        form: instead ?? null,
        file_bytes: fileBytes,
      }),
    );
  }
  return rows;
}

/** Hash of what a resumed run must find unchanged. */
function planHashOf({ suite, variants }: Plan, data: OpenedData): string {
  const { seed, accuracy, performance, devices } = suite;
  const named = variants.map(({ model, recipe }) => ({
    model: model.name,
    recipe: { ...recipe.recipe, description: undefined },
  }));
  return hashJson({ seed, accuracy, performance, devices: devices.length, named, data: data.test.hash });
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
