import { seededRandom } from '../../../src/base/random.js';
import { HistoryBuilder, type History, type HistoryOptions } from '../../../src/analysis/history/history.js';
import { historyMetrics } from '../../../src/analysis/history/points.js';
import type { Environment } from '../../../src/protocol/environment.js';
import type { MemoryMeans } from '../../../src/protocol/memory-means.js';
import type { Repository } from '../../../src/store/repository.js';
import type { Db } from '../../../src/store/open.js';
import { loadRun, runsBeginning } from '../../../src/store/read.js';
import type { CellRow } from '../../../src/store/tables.js';
import {
  endCell,
  endRun,
  insertRound,
  insertRun,
  upsertCell,
  upsertDevice,
  upsertVariant,
} from '../../../src/store/write.js';
import { fullMeasurement, newRun } from '../../support/rows.js';

const MIB = 2 ** 20;
const ROUNDS = 3;
export const IMAGES = 200;

/** What a run of a synthetic history measured. */
export interface HistoricRun {
  /** Of fp32, at batch 8; int8 takes half. */
  readonly milliseconds: number;
  readonly mebibytes?: number;
  /** By what its device knows that. */
  readonly memoryMeans?: MemoryMeans;
  /** Of the variant's files. */
  readonly fileBytes?: number;
  /** Right answers; those to the first images are right. */
  readonly right?: number;
  /** Test images; 200 if left out. */
  readonly images?: number;
  /** Given where the model has no head: how near int8's features lie to fp32's, and among how many training images neighbours vote. */
  readonly features?: {
    readonly cosine: number;
    readonly images: number;
    readonly asked?: number | undefined;
  };
  readonly repository?: Partial<Repository> | null;
  /** What differs in the environment of its device. */
  readonly processor?: string;
  readonly threads?: number;
  readonly environment?: Partial<Environment>;
}

/** The commit of a synthetic run: its number, forty digits long. */
export function commitOf(index: number): string {
  return String(index + 1)
    .padStart(7, '0')
    .padEnd(40, 'c');
}

/** The id of a synthetic run. */
export function runOf(index: number): string {
  return `2026-${String(index + 1).padStart(3, '0')}`;
}

/**
 * Stores runs, one a day, each of its own commit: fp32 and int8 at batch 8 with three rounds, and the accuracy of fp32.
 *
 * @param noise - standard deviation of a run about what it should be, as a share; rounds differ by half of that
 * @param runs - what each should measure
 */
export async function storeHistory(
  db: Db,
  seed: number,
  noise: number,
  runs: readonly HistoricRun[],
): Promise<void> {
  const random = seededRandom(seed);
  for (const [index, run] of runs.entries()) {
    const { images = IMAGES, right = 160 } = run;
    const labels = new Array<number>(images).fill(1);
    const at = new Date(Date.UTC(2026, 0, 1 + index, 12)).toISOString();
    const repository: Repository = {
      ...{ commit: commitOf(index), committedAt: at, branch: 'main', dirty: false },
      ...run.repository,
    };
    const id = runOf(index);
    await insertRun(
      db,
      newRun(id, {
        started_at: at,
        repository_json: run.repository === null ? null : JSON.stringify(repository),
      }),
    );
    const device_id = await upsertDevice(db, {
      ...{ run_id: id, name: 'here', profile_json: '{}', threads: run.threads ?? 2 },
      environment_json: JSON.stringify({
        ...environmentOf(run.processor ?? 'a processor'),
        ...run.environment,
      }),
    });
    for (const [position, recipe] of ['fp32', 'int8'].entries()) {
      const variant = await upsertVariant(db, {
        ...{ run_id: id, position, model: 'micro', recipe, description: '', synthetic: 0, artifact: recipe },
        ...{ file_bytes: run.fileBytes ?? 1000, parameters: 250, micro_batch: null, stages_json: '[]' },
        ...(run.features && { features_json: scoringOf(run.features) }),
      });
      const store = async (kind: CellRow['kind'], rounds: number): Promise<void> => {
        const cell = await upsertCell(db, {
          ...{ run_id: id, variant_id: variant.id, device_id, kind, batch: 8, tier: null, rounds },
          ...{ status: 'pending', reason: null },
        });
        const own = run.milliseconds * (recipe === 'fp32' ? 1 : 0.5) * Math.exp(noise * random.normal());
        const peak = (run.mebibytes ?? 20) * MIB;
        for (let round = 0; round < rounds; round++) {
          const typical = own * Math.exp((noise / 2) * random.normal());
          const full = fullMeasurement();
          const measurement = fullMeasurement({
            started: full.started && { ...full.started, memoryMeans: run.memoryMeans ?? 'vmhwm-of-phase' },
            phases: [
              { phase: 'prepare', milliseconds: 1, memory: { resident: 100 * MIB } },
              { phase: 'load', milliseconds: 1, memory: { peakResident: 100 * MIB + peak / 2 } },
              { phase: 'first', milliseconds: 1, memory: { peakResident: 100 * MIB + peak } },
              { phase: 'steady', milliseconds: 1, memory: { peakResident: 100 * MIB + 2 * peak } },
            ],
            conditions: [],
            latencies: [0.99, 1, 1.02].map((factor) => typical * factor),
            logits: kind === 'accuracy' ? [{ first: 0, classes: 2, values: answers(images, right) }] : [],
            kernels: [],
          });
          const place = { cellId: cell.id, round, position: 0, startedAt: at, seconds: 1 };
          const scores = run.features && {
            ...(kind === 'accuracy' && {
              predicted: labels.map((_, image) => Number(image < right)),
              // Every image moves alike but for a little.
              ...(recipe === 'int8' && {
                cosines: labels.map((_, image) => run.features!.cosine + (image % 2 === 0 ? 1e-5 : -1e-5)),
              }),
            }),
          };
          await insertRound(db, place, measurement, labels, kind === 'accuracy', [], scores);
        }
        await endCell(db, cell.id, 'done', null);
      };
      await store('performance', ROUNDS);
      if (recipe === 'fp32' || run.features) await store('accuracy', 1);
    }
    await endRun(db, id, at);
  }
}

/** So many synthetic runs, each as it should measure. */
export function runsOf(count: number, one: (index: number) => HistoricRun): HistoricRun[] {
  return Array.from({ length: count }, (_, index) => one(index));
}

/** The history of all stored runs, as the command reads it. */
export async function historyOf(db: Db, options: Partial<HistoryOptions> = {}): Promise<History> {
  const builder = new HistoryBuilder({
    ...{ suite: 'tiny', branch: { name: undefined, others: [] }, metrics: historyMetrics, wants: () => true },
    thresholds: { ratio: 0.02, accuracy: 0.003, cosine: 0.001 },
    ...options,
  });
  for (const run of await runsBeginning(db, '')) builder.add(await loadRun(db, run));
  return builder.history();
}

/** How a variant without a head is scored, as it is stored. */
function scoringOf({ images, asked }: NonNullable<HistoricRun['features']>): string {
  return JSON.stringify({ width: 2, neighbours: 5, temperature: 0.07, images, asked });
}

/** Logits that say class 1, which is right, of so many images, and class 0 of the others. */
function answers(images: number, right: number): Float32Array {
  return Float32Array.from({ length: 2 * images }, (_, index) => {
    const isRight = Math.floor(index / 2) < right;
    return Number((index % 2 === 1) === isRight);
  });
}

/** The machine of a synthetic run. */
export function environmentOf(processor: string): Environment {
  return {
    cpu: {
      ...{ model: processor, features: ['avx2'], physicalCores: 2, logicalCores: 4 },
      ...{ governor: null, maxFrequency: null },
    },
    memoryBytes: 8 * 2 ** 30,
    virtual: false,
    os: { platform: 'linux', distribution: 'Debian', release: '12', kernel: '6.1', arch: 'x64' },
    node: '20.19.0',
    versions: { 'onnxruntime-node': '1.30.0', edgeflex: '0.1.0' },
    git: null,
  };
}
