import { exactly, quotient } from '../../stats/arithmetic.js';
import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedOutcomes } from '../../stats/mcnemar.js';
import { unpairedRatio, type RatioEstimate } from '../../stats/ratio.js';
import { wilson } from '../../stats/wilson.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { MemoryMeans } from '../../protocol/memory-means.js';
import { accuracyOf, isScored } from '../figures/accuracy.js';
import { latencyOf, samplesByRound } from '../figures/latency.js';
import { memoryMeansOf, peaksByRound } from '../figures/memory.js';
import { soundnessOf } from '../figures/soundness.js';
import { deviceLabel, isEmulated, recipeLabel } from '../label.js';
import { catalogueName } from './observe.js';

/** A variant at a batch size on one of two devices. */
export interface Side {
  readonly runId: string;
  readonly latency: Estimate;
  readonly throughput: Estimate | undefined;
  /** Peak over the runtime's base, in bytes. */
  readonly memory: Estimate | undefined;
  readonly top1: Estimate | undefined;
  /** The price of each image a second; undefined where one of the two is not known. */
  readonly cost: Estimate | undefined;
}

/** How a variant is on one device beside another. */
export interface PairFigures {
  readonly model: string;
  readonly recipe: string;
  readonly batch: number;
  readonly first: Side;
  readonly second: Side;
  /** How many times as fast the second is; undefined where one of them has a single round, or was disturbed. */
  readonly speed: RatioEstimate | undefined;
  /** Peak of the second as a share of the first's; undefined where they are known by different means. */
  readonly memory: RatioEstimate | undefined;
  /** Share of images to which both give the same class; undefined where not both were scored on the same images. */
  readonly agreement:
    { readonly same: Estimate; readonly images: number; readonly mcnemarP: number | undefined } | undefined;
  /** What the second costs for each image a second, as a share of the first. */
  readonly cost: Estimate | undefined;
}

/** Why a variant is not compared. */
export type Unmatched =
  'only on the first' | 'only on the second' | 'another artifact' | 'no common batch size';

/** Two devices side by side. */
export interface DevicePair {
  readonly first: PairedDevice;
  readonly second: PairedDevice;
  readonly figures: readonly PairFigures[];
  readonly unmatched: readonly { readonly model: string; readonly recipe: string; readonly why: Unmatched }[];
}

/** One of two devices. */
export interface PairedDevice {
  /** As the catalogue calls it. */
  readonly name: string;
  readonly label: string;
  readonly emulated: boolean;
  /** Of one, in the common currency; undefined where nobody says. */
  readonly price: number | undefined;
}

/** What a run has of a variant on a device. */
export interface VariantOnDevice {
  readonly runId: string;
  readonly startedAt: string;
  readonly device: string;
  readonly label: string;
  readonly emulated: boolean;
  readonly model: string;
  readonly recipe: string;
  readonly artifact: string;
  readonly imagesHash: string;
  readonly synthetic: boolean;
  readonly top1: Estimate | undefined;
  readonly predictions: StoredCell['predictions'];
  readonly timings: readonly Timing[];
}

interface Timing {
  readonly batch: number;
  readonly latency: Estimate;
  readonly throughput: Estimate | undefined;
  readonly memory: Estimate | undefined;
  readonly samples: readonly (readonly number[])[];
  readonly peaks: readonly number[];
  readonly means: readonly MemoryMeans[];
  readonly decides: boolean;
}

/**
 * What a run has of variants on some devices.
 *
 * @param run - as it is stored
 * @param devices - names as the catalogue has them
 */
export function variantsOn(run: StoredRun, devices: readonly string[]): VariantOnDevice[] {
  return run.devices
    .filter((device) => devices.includes(catalogueName(device)))
    .flatMap((device) =>
      run.variants.map((variant): VariantOnDevice => {
        const cells = run.cells.filter(
          (cell) => cell.device === device && cell.variant === variant && cell.row.status === 'done',
        );
        const scored = cells.find(({ row }) => row.kind === 'accuracy');
        return {
          ...{ runId: run.row.id, startedAt: run.row.started_at, device: catalogueName(device) },
          ...{ label: deviceLabel(device), emulated: isEmulated(device) },
          ...{ model: variant.model, recipe: recipeLabel(variant), artifact: variant.artifact },
          imagesHash: run.data.hash,
          synthetic: !isScored(variant, run.data),
          top1: scored && accuracyOf(scored, undefined, isScored(variant, run.data))?.top1,
          predictions: scored?.predictions,
          timings: cells.flatMap((cell) => (cell.row.kind === 'performance' ? (timingOf(cell) ?? []) : [])),
        };
      }),
    );
}

function timingOf(cell: StoredCell): Timing | undefined {
  const figures = latencyOf(cell, undefined);
  if (figures === undefined) return undefined;
  return {
    batch: cell.row.batch,
    latency: figures.median,
    throughput: figures.throughput,
    memory: figures.memory?.estimate,
    samples: [...samplesByRound(cell).values()],
    peaks: [...peaksByRound(cell).values()],
    means: memoryMeansOf(cell),
    decides: soundnessOf(cell).decides,
  };
}

/**
 * Compares two devices by the variants that were measured on both: the very same artifact, in the newest run that has it on both, or else
 * in the newest run of each. Rounds on two machines have nothing in common, so that ratios are those of `unpairedRatio`.
 *
 * @param seen - what runs have of both
 * @param first - one device
 * @param second - the other
 */
export function pairOf(
  seen: readonly VariantOnDevice[],
  first: PairedDevice,
  second: PairedDevice,
): DevicePair {
  const newestFirst = [...seen].sort((a, b) =>
    a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0,
  );
  const keys = new Map(
    newestFirst.map(({ model, recipe }) => [JSON.stringify([model, recipe]), { model, recipe }]),
  );
  const figures: PairFigures[] = [];
  const unmatched: DevicePair['unmatched'][number][] = [];
  for (const { model, recipe } of keys.values()) {
    const own = newestFirst.filter(
      (each) => each.model === model && each.recipe === recipe && each.timings.length > 0,
    );
    const [ones, others] = [first, second].map(({ name }) => own.filter(({ device }) => device === name));
    const found = matched(ones ?? [], others ?? []);
    if (typeof found === 'string') {
      if (own.length > 0) unmatched.push({ model, recipe, why: found });
      continue;
    }
    const compared = comparedOf(found, first, second);
    if (compared.length === 0) unmatched.push({ model, recipe, why: 'no common batch size' });
    figures.push(...compared);
  }
  return { first, second, figures, unmatched };
}

interface Matched {
  readonly one: VariantOnDevice;
  readonly other: VariantOnDevice;
}

function matched(ones: readonly VariantOnDevice[], others: readonly VariantOnDevice[]): Matched | Unmatched {
  if (others.length === 0) return 'only on the first';
  if (ones.length === 0) return 'only on the second';
  const pairs = ones.flatMap((one) =>
    others.flatMap((other) => (one.artifact === other.artifact ? [{ one, other }] : [])),
  );
  return pairs.find(({ one, other }) => one.runId === other.runId) ?? pairs[0] ?? 'another artifact';
}

function comparedOf({ one, other }: Matched, first: PairedDevice, second: PairedDevice): PairFigures[] {
  return [...one.timings]
    .sort((a, b) => a.batch - b.batch)
    .flatMap((a): PairFigures[] => {
      const b = other.timings.find(({ batch }) => batch === a.batch);
      if (b === undefined) return [];
      const sides = { first: sideOf(one, a, first.price), second: sideOf(other, b, second.price) };
      const means = new Set([...a.means, ...b.means]);
      const costs = [sides.first.cost, sides.second.cost];
      return [
        {
          ...{ model: one.model, recipe: one.recipe, batch: a.batch, ...sides },
          speed: a.decides && b.decides ? unpairedRatio(a.samples, b.samples) : undefined,
          memory:
            means.size === 1 && [...a.peaks, ...b.peaks].every((peak) => peak > 0)
              ? unpairedRatio(single(b.peaks), single(a.peaks))
              : undefined,
          agreement: agreementOf(one, other),
          cost: costs[0] && costs[1] ? quotient(costs[1], costs[0]) : undefined,
        },
      ];
    });
}

function sideOf(variant: VariantOnDevice, timing: Timing, price: number | undefined): Side {
  const { latency, throughput, memory } = timing;
  return {
    ...{ runId: variant.runId, latency, throughput, memory, top1: variant.top1 },
    cost: price !== undefined && throughput ? quotient(exactly(price), throughput) : undefined,
  };
}

function agreementOf(one: VariantOnDevice, other: VariantOnDevice): PairFigures['agreement'] {
  const [mine, its] = [one.predictions, other.predictions];
  if (mine === undefined || its === undefined || one.imagesHash !== other.imagesHash) return undefined;
  // Runs on more images begin with the same ones.
  const images = Math.min(mine.labels.length, its.labels.length);
  const [labels, a, b] = [mine.labels, mine.predicted, its.predicted].map((list) => list.slice(0, images));
  if (images === 0 || labels === undefined || a === undefined || b === undefined) return undefined;
  return {
    same: wilson(a.filter((choice, image) => choice === b[image]).length, images),
    images,
    mcnemarP: one.synthetic ? undefined : mcnemar(pairedOutcomes(labels, a, b)),
  };
}

function single(values: readonly number[]): number[][] {
  return values.map((value) => [value]);
}
