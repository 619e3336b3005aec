import { beforeAll, describe, expect, it } from 'vitest';
import type { StageContext } from '../../src/compress/context.js';
import { withWidths } from '../../src/compress/stand-ins.js';
import { widthsWithin, type BudgetOutcome } from '../../src/compress/prune/budget.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { peakProbe } from '../../src/run/artifacts/peak-probe.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { openTestDevice } from '../support/tasks.js';
import { openBench } from './support.js';

const MIB = 1024 ** 2;
const [batch, multiple] = [16, 64];

/** The built-in model with MLPs so wide that they are most of its memory. */
let wide: ViT;
let context: StageContext;
let measure: NonNullable<StageContext['measurePeak']>;
/** Peaks of the widest and of the narrowest model, in bytes. */
let peaks: { readonly full: number; readonly narrow: number };

beforeAll(async () => {
  const bench = await openBench();
  wide = withWidths(bench.vit, [4096, 4096, 4096, 4096]);
  measure = peakProbe(await openTestDevice(), undefined, new AbortController().signal);
  context = { ...bench.context, measurePeak: measure };
  const narrowest = withWidths(wide, [multiple, multiple, multiple, multiple]);
  peaks = { full: await measure(wide, batch), narrow: await measure(narrowest, batch) };
});

/** Removing any neuron of any block costs the same. */
const costs = Array.from({ length: 4 }, () => ({
  neurons: 4096,
  loss: Float64Array.from({ length: 4097 }, (_, width) => 4096 - width),
}));

const neurons = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width, 0);

const chosen = (bytes: number): Promise<BudgetOutcome> =>
  widthsWithin(wide, costs, { memory: bytes / MIB, batch }, context, multiple);

const between = (share: number): number => peaks.narrow + share * (peaks.full - peaks.narrow);

describe('a budget of peak memory held against measured peaks', () => {
  it('has something to save', () => {
    expect(peaks.full).toBeGreaterThan(1.5 * peaks.narrow);
  });

  it('is met by what was measured, in steps of the kernels, wider for the larger budget', async () => {
    const outcomes: BudgetOutcome[] = [];
    for (const share of [0.3, 0.8]) {
      const outcome = await chosen(between(share));
      outcomes.push(outcome);
      expect(outcome.budget).toBeCloseTo(between(share), -1);
      expect(outcome.measured!).toBeLessThanOrEqual(outcome.budget);
      for (const width of outcome.widths) expect(width % multiple).toBe(0);
      expect(neurons(outcome.widths)).toBeLessThan(4 * 4096);
      expect(neurons(outcome.widths)).toBeGreaterThan(4 * multiple);
      // A prediction from shapes, that knows nothing of the allocator.
      expect(outcome.predicted / outcome.measured!).toBeGreaterThan(0.4);
      expect(outcome.predicted / outcome.measured!).toBeLessThan(1.6);
      // Another process needs about as much.
      const again = await measure(withWidths(wide, outcome.widths), batch);
      expect(again / outcome.measured!).toBeGreaterThan(0.8);
      expect(again / outcome.measured!).toBeLessThan(1.2);
    }
    expect(neurons(outcomes[1]!.widths)).toBeGreaterThan(neurons(outcomes[0]!.widths));
  });

  it('that the model keeps as it is prunes nothing', async () => {
    const { widths, measured, budget } = await chosen(1.5 * peaks.full);
    expect(widths).toEqual(wide.config.mlpSizes);
    expect(measured!).toBeLessThanOrEqual(budget);
  });

  it('that not even the narrowest keeps is refused with the peak that was measured of it', async () => {
    const fault = await refusalOf(() => chosen(0.25 * peaks.narrow));
    expect(fault.place).toBe('prune.budget.memory');
    expect(fault.hint).toMatch(/take a smaller batch or a micro-batch/);
    const least = Number(
      /^at least ([\d.]+) MiB, what the model needs with the narrowest MLPs/.exec(fault.expected)![1],
    );
    expect((least * MIB) / peaks.narrow).toBeGreaterThan(0.75);
    expect((least * MIB) / peaks.narrow).toBeLessThan(1.25);
  });

  it('is kept by the model that the stage makes', async () => {
    const half = withWidths(wide, [2048, 2048, 2048, 2048]);
    const quarter = withWidths(wide, [1024, 1024, 1024, 1024]);
    const budget = ((await measure(half, batch)) + (await measure(quarter, batch))) / 2;
    const options = pruneOptionsSchema.parse({
      budget: { memory: budget / MIB, batch },
      ...{ images: 8, importance: 'magnitude', compensation: 'none', multiple: 512 },
    });
    const { vit, report } = await prune(half, context, options);
    expect(vit.config.mlpSizes).toEqual(report.budget!.widths);
    expect(report.budget!.measured!).toBeLessThanOrEqual(budget);
    expect(report.neuronsAfter).toBeLessThan(report.neuronsBefore);
    expect((await measure(vit, batch)) / budget).toBeLessThan(1.1);
  });
});
