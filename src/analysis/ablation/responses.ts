import { median } from 'simple-statistics';
import type { StoredCell, StoredDevice, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';
import { isScored } from '../figures/accuracy.js';
import { memoryMeansOf, peaksByRound } from '../figures/memory.js';
import { fileBytesOf } from '../figures/size.js';
import { alikeRounds, soundnessOf, soundRounds } from '../figures/soundness.js';

/** What effects of factors are told of. */
export const ablationMetrics = ['latency', 'memory', 'file', 'accuracy'] as const;

export type AblationMetric = (typeof ablationMetrics)[number];

/** What was measured of a variant in a metric. */
export type Response =
  | {
      /** Logarithms of one figure by round. */
      readonly kind: 'rounds';
      readonly values: ReadonlyMap<number, number>;
      readonly cell: StoredCell;
    }
  | {
      /** Of each test image, 1 where the answer is right. */
      readonly kind: 'images';
      readonly right: readonly number[];
    }
  | {
      /** A logarithm that nothing scatters. */
      readonly kind: 'exact';
      readonly value: number;
    };

/** Why a variant has no response. */
export type NoResponse =
  /** It failed, is not supported, or is not measured yet. */
  | { readonly kind: 'not-measured'; readonly status: StoredCell['row']['status'] }
  /** Other processes disturbed most of its rounds. */
  | { readonly kind: 'disturbed' }
  /** The device does not tell, or the figure has no logarithm. */
  | { readonly kind: 'no-figure' };

/** A figure of all variants of a model on a device. */
export interface Subject {
  readonly run: StoredRun;
  readonly model: string;
  readonly device: StoredDevice;
  readonly metric: AblationMetric;
  /** Of latency and memory. */
  readonly batch: number | undefined;
}

/**
 * What was measured of a variant.
 *
 * @param subject - of which model, where, in which metric
 * @param recipe - of the variant
 */
export function responseOf(subject: Subject, recipe: string): Response | NoResponse {
  const { run, model, metric } = subject;
  const variant = run.variants.find((each) => each.model === model && each.recipe === recipe);
  const cell = variant && cellOf(subject, variant);
  if (cell === undefined) return { kind: 'not-measured', status: 'pending' };
  if (cell.row.status !== 'done' && metric !== 'file')
    return { kind: 'not-measured', status: cell.row.status };
  switch (metric) {
    case 'latency':
      if (!soundnessOf(cell).decides) return { kind: 'disturbed' };
      return roundsOf(
        cell,
        soundRounds(cell, ({ samples }) => median([...samples])),
      );
    case 'memory':
      return roundsOf(cell, peaksByRound(cell));
    case 'file': {
      const bytes = fileBytesOf(cell);
      return bytes === undefined ? { kind: 'no-figure' } : { kind: 'exact', value: Math.log(bytes) };
    }
    case 'accuracy': {
      const { predictions } = cell;
      if (predictions === undefined || !isScored(cell.variant, run.data)) return { kind: 'no-figure' };
      const { labels, predicted } = predictions;
      return { kind: 'images', right: predicted.map((choice, image) => Number(choice === labels[image])) };
    }
  }
}

/** Whether a variant has a response. */
export function isResponse(response: Response | NoResponse): response is Response {
  return response.kind === 'rounds' || response.kind === 'images' || response.kind === 'exact';
}

/**
 * The rounds in which all of some cells were measured and can be compared with each other.
 *
 * @param cells - at least one
 * @param metric - of which figure
 */
export function commonRounds(
  cells: readonly Extract<Response, { kind: 'rounds' }>[],
  metric: AblationMetric,
): number[] {
  const [first, ...others] = cells;
  if (first === undefined) return [];
  const known = others.map(({ cell, values }) =>
    metric === 'latency' ? alikeWith(first.cell, cell) : new Set(values.keys()),
  );
  return [...first.values.keys()].filter((round) => known.every((rounds) => rounds.has(round)));
}

/**
 * Whether memory is known by the same means in all of some cells: peaks of different means are not compared.
 *
 * @param cells - of one device
 */
export function sameMemoryMeans(cells: readonly Extract<Response, { kind: 'rounds' }>[]): boolean {
  return new Set(cells.flatMap(({ cell }) => memoryMeansOf(cell))).size <= 1;
}

/** Rounds of two cells whose cores lay alike. */
function alikeWith(reference: StoredCell, cell: StoredCell): ReadonlySet<number> {
  return new Set(alikeRounds(reference, cell, () => 0).cell.keys());
}

function cellOf({ run, device, metric, batch }: Subject, variant: VariantRow): StoredCell | undefined {
  const kind = metric === 'latency' || metric === 'memory' ? 'performance' : 'accuracy';
  return run.cells.find(
    ({ row, ...cell }) =>
      cell.variant === variant &&
      cell.device === device &&
      row.kind === kind &&
      (batch === undefined || row.batch === batch),
  );
}

function roundsOf(cell: StoredCell, figures: ReadonlyMap<number, number>): Response | NoResponse {
  if (figures.size === 0 || [...figures.values()].some((figure) => !(figure > 0)))
    return { kind: 'no-figure' };
  return {
    kind: 'rounds',
    cell,
    values: new Map([...figures].map(([round, figure]) => [round, Math.log(figure)])),
  };
}
