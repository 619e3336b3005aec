import type { Measurement } from '../../src/protocol/measurement.js';
import type { Environment } from '../../src/protocol/environment.js';
import type { Db } from '../../src/store/open.js';
import type { CellRow, NewRun } from '../../src/store/tables.js';
import { insertRun, upsertCell, upsertDevice, upsertVariant } from '../../src/store/write.js';

/** A machine that there is not. */
export const environment: Environment = {
  cpu: {
    ...{ model: 'a processor', features: ['avx2'], physicalCores: 2, logicalCores: 4 },
    ...{ governor: null, maxFrequency: null },
  },
  memoryBytes: 8 * 2 ** 30,
  virtual: false,
  os: { platform: 'linux', distribution: 'Debian', release: '12', kernel: '6.1', arch: 'x64' },
  node: '20.19.0',
  versions: { 'onnxruntime-node': '1.30.0' },
  git: null,
};

/** A run as it is recorded at its start. */
export function newRun(id: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    ...{ id, suite: 'tiny', plan_hash: 'abc', seed: 1, command: 'edgeflex run', version: '0.1.0' },
    ...{ started_at: '2026-11-22T10:15:30.000Z', ended_at: null },
    data_json: JSON.stringify({ name: 'shapes10', hash: 'def', testImages: 3, labels: ['a', 'b'] }),
    ...changes,
  };
}

/** Records a run with one cell. */
export async function storeCell(
  db: Db,
  runId: string,
  kind: CellRow['kind'] = 'performance',
): Promise<CellRow> {
  await insertRun(db, newRun(runId));
  const run = { run_id: runId };
  const device = await upsertDevice(db, {
    ...run,
    ...{ name: 'here', profile_json: '{}', environment_json: JSON.stringify(environment), threads: 2 },
  });
  const variant = await upsertVariant(db, {
    ...{ ...run, position: 0, model: 'micro', recipe: 'fp32', description: '', synthetic: 0 },
    ...{ artifact: 'key', file_bytes: 1000, parameters: 250, micro_batch: null, stages_json: '[]' },
  });
  return upsertCell(db, {
    ...{ ...run, variant_id: variant.id, device_id: device, kind, batch: 2, tier: null, rounds: 1 },
    ...{ status: 'pending', reason: null },
  });
}

/** A measurement with something in every field. */
export function fullMeasurement(changes: Partial<Measurement> = {}): Measurement {
  return {
    started: {
      event: 'started',
      runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
      platform: 'linux-x64',
      session: { threads: 2, memoryPattern: false, arena: true, spinning: true },
      memoryMeans: 'vmhwm-of-phase',
    },
    phases: [
      { phase: 'load', milliseconds: 12.5, memory: { resident: 100, peakResident: 120 } },
      { phase: 'steady', milliseconds: 99, cpuMilliseconds: 180.5, memory: { resident: 110 } },
    ],
    conditions: [
      { phase: 'load', conditions: { at: 1, otherLoad: 0.25, governor: 'performance' } },
      { phase: 'steady', conditions: { at: 2.5, stolen: 0, throttling: ['under-voltage'] } },
    ],
    warmup: { queries: 9, steady: true },
    latencies: [3.25, 1.5, 2],
    trials: [{ rate: 500, planned: 3, scheduled: [1, 1.5], started: [1, 3.25], ended: [3, 5.5] }],
    logits: [
      { first: 0, classes: 2, values: Float32Array.of(1, 2, 4, 3) },
      { first: 2, classes: 2, values: Float32Array.of(NaN, -0.5) },
    ],
    kernels: [
      { opType: 'Add', provider: 'CPU', calls: 2, milliseconds: 0.5 },
      { opType: 'MatMul', provider: 'CPU', calls: 4, milliseconds: 1.5 },
    ],
    coreLatencies: [],
    nodes: [],
    ...changes,
  };
}

/** The classes of the images that `fullMeasurement` has logits of. */
export const labels = Uint8Array.of(1, 1, 0);

/** Where a test's round stands in its run. */
export function placeOf(
  cell: CellRow,
  round = 0,
): {
  readonly cellId: number;
  readonly round: number;
  readonly position: number;
  readonly startedAt: string;
  readonly seconds: number;
} {
  return { cellId: cell.id, round, position: 4, startedAt: '2026-11-22T10:16:00.000Z', seconds: 1.5 };
}
