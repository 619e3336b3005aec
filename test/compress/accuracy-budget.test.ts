import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageContext } from '../../src/compress/context.js';
import { chancesAfter } from '../../src/compress/chances.js';
import { openJudge } from '../../src/compress/judge.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import { lossOf } from '../../src/compress/loss.js';
import { chosenClasses } from '../../src/compress/observe/logits.js';
import { narrowed, orderMlp } from '../../src/compress/prune/compensation.js';
import { importanceOf } from '../../src/compress/prune/importance.js';
import { observeMlp } from '../../src/compress/prune/mlp.js';
import { pruneOptionsSchema, type PruneOptions } from '../../src/compress/prune/options.js';
import { narrowedTo, rankBlocks } from '../../src/compress/prune/ranked.js';
import { prune, type PruneReport } from '../../src/compress/prune/stage.js';
import { openStream } from '../../src/compress/observe/blocks.js';
import { pairedDifference } from '../../src/stats/mcnemar.js';
import { pruneStage } from '../../src/compress/stages/prune.js';
import { stageLine } from '../../src/text/stage-line.js';
import type { ViT } from '../../src/vit/vit.js';
import { fingerprint, logitsOf, openBench, pixelsOf, type Bench } from './support.js';

let bench: Bench;
let blas: Blas;
beforeAll(async () => {
  bench = await openBench();
  blas = await openBlas(bench.engine, 1);
});
afterAll(() => blas.close());

const options = (budget: object, more: object = {}): PruneOptions =>
  pruneOptionsSchema.parse({ budget, images: 64, ...more });

/** What a model says of all held-out images, whichever it is sure of. */
async function classesOf(vit: ViT, images = 10_000): Promise<Uint16Array> {
  const pixels = await pixelsOf(await bench.context.calibration.holdout(images));
  return Uint16Array.from(chosenClasses(await logitsOf(bench, vit, pixels), vit.config.labels.length));
}

async function pruned(
  budget: object,
  context: StageContext = bench.context,
  more: object = {},
): Promise<Found> {
  const { vit, report } = await prune(bench.vit, context, options(budget, more));
  return { vit, report, accuracy: report.accuracy! };
}

interface Found {
  readonly vit: ViT;
  readonly report: PruneReport;
  readonly accuracy: NonNullable<PruneReport['accuracy']>;
}

describe('a judge', () => {
  it('runs a model on the images it is least sure of, and finds what running it on all of them finds', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const judge = await openJudge(bench.context, bench.vit, images, [0, 1]);
    const before = await classesOf(bench.vit);
    expect(judge.images).toBe(images.count);
    expect(judge.accuracy).toBeCloseTo(
      before.filter((c, i) => c === images.classes[i]).length / before.length,
      12,
    );
    for (const ratio of [0.3, 0.6]) {
      const { vit } = await prune(bench.vit, bench.context, pruneOptionsSchema.parse({ ratio, images: 64 }));
      const judged = await judge.judge(vit, { points: 100, confidence: 0.8 });
      const whole = lossOf('accuracy', images.classes, before, await classesOf(vit));
      expect(judged.points).toEqual(whole.points);
      expect(judged.changed).toBe(whole.changed);
      expect(judged.ran).toBeLessThanOrEqual(images.count);
      expect(judged.atMost).toBeGreaterThan(judged.expected);
    }
  });

  it('expects what each image whose class changes costs by how likely the model finds both classes', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const pixels = await pixelsOf(images);
    const judge = await openJudge(bench.context, bench.vit, images, [0, 1]);
    const classes = bench.vit.config.labels.length;
    const before = await logitsOf(bench, bench.vit, pixels);
    const chances = chancesAfter(before, images.classes, classes);
    const own = chosenClasses(before, classes);
    for (const ratio of [0.3, 0.6, 0.9]) {
      const { vit } = await prune(bench.vit, bench.context, pruneOptionsSchema.parse({ ratio, images: 64 }));
      const judged = await judge.judge(vit, { points: 100, confidence: 0.8 });
      const after = chosenClasses(await logitsOf(bench, vit, pixels), classes);
      const costs = own.map((choice, image) => chances.of(image, choice) - chances.of(image, after[image]!));
      const expected = costs.reduce((sum, cost) => sum + cost, 0);
      expect(judged.expected).toBeCloseTo((100 * expected) / images.count, 3);
      // An image that changes is lost, won or neither: of so many the count is off by no more than four standard deviations.
      const changes = costs.filter((cost) => cost > 0).length;
      const counted = (judged.points.value * images.count) / 100;
      expect(Math.abs(counted - expected)).toBeLessThanOrEqual(4 * Math.sqrt(changes));
    }
  });

  it('runs no image of which the model is surer than of many that kept their class', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const twice = images.only([...images.classes.keys(), ...images.classes.keys()]);
    const judge = await openJudge(bench.context, bench.vit, twice, [0, 1]);
    const itself = await judge.judge(bench.vit, { points: 100, confidence: 0.8 });
    expect(itself).toMatchObject({ changed: 0, points: { value: 0 }, passes: true });
    expect(itself.ran).toBeLessThan(2 * images.count);
  });

  it('gives a model up as soon as it is sure to lose too much', async () => {
    const { vit } = await prune(
      bench.vit,
      bench.context,
      pruneOptionsSchema.parse({ ratio: 0.9, images: 64 }),
    );
    const judge = await openJudge(
      bench.context,
      bench.vit,
      await bench.context.calibration.holdout(10_000),
      [0, 1],
    );
    const [strict, lax] = [
      await judge.judge(vit, { points: 3, confidence: 0.8 }),
      await judge.judge(vit, { points: 100, confidence: 0.8 }),
    ];
    expect(strict.passes).toBe(false);
    expect(lax.passes).toBe(true);
    expect(strict.ran).toBeLessThan(lax.ran);
    expect(strict.atMost).toBeGreaterThan(strict.expected);
  });

  it('goes by the count where even no change at all of so few images would be too uncertain', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const judge = await openJudge(bench.context, bench.vit, images, [0, 1]);
    const points = (100 * -Math.log(1 - 0.8)) / images.count / 2;
    const itself = await judge.judge(bench.vit, { points, confidence: 0.8 });
    expect(itself).toMatchObject({ changed: 0, passes: true });
    expect(itself.atMost).toBeCloseTo(
      pairedDifference({ onlyFirst: 0, onlySecond: 0 }, images.count, 0.6).high,
      9,
    );
  });

  it('lets nothing pass that is counted to lose more than it may, whatever is expected', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const { vit } = await prune(
      bench.vit,
      bench.context,
      pruneOptionsSchema.parse({ ratio: 0.9, images: 64 }),
    );
    const [before, after] = [await classesOf(bench.vit), await classesOf(vit)];
    // The model is right exactly where its class changes, and elsewhere so rarely that its logits mean little.
    const classes = before.map((own, image) =>
      own !== after[image] || image % 8 === 0 ? own : (own + 1) % 10,
    );
    const judge = await openJudge(bench.context, bench.vit, { ...images, classes }, [0, 1]);
    const { points, expected } = await judge.judge(vit, { points: 100, confidence: 0.5 });
    expect(expected).toBeLessThan(points.value / 2);
    const bound = { points: 0.9 * points.value, confidence: 0.5 };
    const judged = await judge.judge(vit, bound);
    expect(judged.atMost).toBeLessThan(bound.points);
    expect(judged.passes).toBe(false);
  });

  it('runs on fewer images where it can not pass, with the same verdict', async () => {
    const images = await bench.context.calibration.holdout(10_000);
    const context: StageContext = { ...bench.context, judgedBy: 'agreement' };
    const judge = await openJudge(context, bench.vit, images, [0, 1]);
    const { vit } = await prune(bench.vit, context, pruneOptionsSchema.parse({ ratio: 0.6, images: 64 }));
    const whole = await judge.judge(vit, { points: 100, confidence: 0.8 });
    const tight = { points: whole.points.value / 2, confidence: 0.6 };
    const judged = await judge.judge(vit, tight);
    expect(judged).toMatchObject({ passes: false });
    expect(judged.ran).toBeLessThan(whole.ran);
  });
});

describe('a budget of accuracy', () => {
  it('removes more the more may be lost, and stays within it on the images that judge', async () => {
    const before = await classesOf(bench.vit);
    const { classes } = await bench.context.calibration.holdout(10_000);
    let neurons = Infinity;
    for (const allowed of [1, 5, 20]) {
      const { vit, report, accuracy } = await pruned({ accuracy: allowed });
      const { chosen, tried, images } = accuracy;
      expect(images).toBe(before.length);
      expect(chosen!.atMost).toBeLessThanOrEqual(allowed);
      expect(chosen!.points.value).toBeLessThanOrEqual(allowed);
      expect(lossOf('accuracy', classes, before, await classesOf(vit)).points).toEqual(chosen!.points);
      expect(chosen!.ratio).toBeCloseTo(1 - report.neuronsAfter / report.neuronsBefore, 12);
      // Of what was tried, the most that passes; the next step does not, or there is none.
      expect(tried.filter(({ passes }) => passes).every(({ ratio }) => ratio <= chosen!.ratio)).toBe(true);
      const failed = tried.filter(({ passes }) => !passes).map(({ ratio }) => ratio);
      expect(Math.min(...failed, 0.95)).toBeLessThan(chosen!.ratio + 0.08);
      expect(report.neuronsAfter).toBeLessThanOrEqual(neurons);
      neurons = report.neuronsAfter;
    }
  });

  it('removes nothing where even the least may lose too much, and says so', async () => {
    // Of so few images none may change, and even that is not sure enough.
    const { vit, report, accuracy } = await pruned({ accuracy: 0.5, images: 16 });
    expect(vit.config.mlpSizes).toEqual(bench.vit.config.mlpSizes);
    expect(await fingerprint(vit)).toBe(await fingerprint(bench.vit));
    expect(accuracy.chosen).toBeUndefined();
    expect(accuracy.tried.every(({ passes }) => !passes)).toBe(true);
    const facts = pruneStage.summarise(pruneStage.report.parse(JSON.parse(JSON.stringify(report))), {});
    expect(facts.headline).toContainEqual(expect.objectContaining({ label: 'removed', unit: 'name' }));
  });

  it('that must be surer spends less', async () => {
    const [bold, wary] = [
      await pruned({ accuracy: 3, confidence: 0.5 }),
      await pruned({ accuracy: 3, confidence: 0.999 }),
    ];
    expect(wary.report.neuronsAfter).toBeGreaterThan(bold.report.neuronsAfter);
  });

  it('gives the same model twice, and the same blocks uniformly where that is asked for', async () => {
    const prints = [await pruned({ accuracy: 5 }), await pruned({ accuracy: 5 })].map(({ vit }) =>
      fingerprint(vit),
    );
    expect(await prints[0]).toBe(await prints[1]);
    const { vit } = await pruned({ accuracy: 5 }, bench.context, { allocation: 'uniform' });
    expect(new Set(vit.config.mlpSizes).size).toBe(1);
  });

  it('counts images that change their class where the weights have no accuracy', async () => {
    const { vit, accuracy } = await pruned({ accuracy: 5 }, { ...bench.context, judgedBy: 'agreement' });
    const [before, after] = [await classesOf(bench.vit), await classesOf(vit)];
    const changed = after.filter((choice, image) => choice !== before[image]).length / before.length;
    expect(accuracy).toMatchObject({ kind: 'agreement', accuracy: undefined });
    expect(accuracy.chosen!.points.value).toBeCloseTo(100 * changed, 10);
    expect(accuracy.chosen!.atMost).toBeLessThanOrEqual(5);
  });

  it('is told with the share removed, the predicted error, the loss and its interval', async () => {
    const { report, accuracy } = await pruned({ accuracy: 5 });
    const stored = pruneStage.report.parse(JSON.parse(JSON.stringify(report)));
    const facts = pruneStage.summarise(stored, {});
    const figure = (label: RegExp): unknown => facts.headline.find((fact) => label.test(fact.label));
    const { ratio, predicted, points } = accuracy.chosen!;
    expect(figure(/may be lost/)).toMatchObject({ value: 5, unit: 'points' });
    expect(figure(/^removed/)).toMatchObject({ value: ratio, unit: 'share' });
    expect(figure(/predicted/)).toMatchObject({ value: predicted });
    expect(figure(/lost on images held out/)).toMatchObject({
      ...{ value: points.value, unit: 'points' },
      interval: { low: points.low, high: points.high },
    });
    expect(facts.tables.find(({ title }) => title === 'what was tried')!.rows).toHaveLength(
      accuracy.tried.length,
    );
    const line = stageLine({ facts } as Parameters<typeof stageLine>[0]);
    expect(line).toMatch(/pt \(.* pt to .* pt\)/);
  });
});

it('a model made of what was kept of the observation is the one that the observation makes', async () => {
  const settings = options({ accuracy: 1 });
  const blocks = await rankBlocks(
    bench.vit,
    bench.context,
    settings,
    await bench.context.calibration.images(64),
    blas,
    1,
  );
  const widths = [128, 512, 64, 256];
  const vit = await narrowedTo(bench.vit, blocks, widths, blas);
  expect(vit.config.mlpSizes).toEqual(widths);
  const stream = await openStream(bench.context, bench.vit, await bench.context.calibration.images(64));
  const mlp = await observeMlp(bench.context, stream, bench.vit, 0, 'observe', 'obs', []);
  const ordered = await orderMlp(mlp, await importanceOf('obs', mlp, blas), 'least-squares', blas);
  const { fc2 } = await narrowed(mlp, ordered, 128, blas);
  const kept = await narrowed(mlp, await blocks[0]!.ordered(), 128, blas);
  const size = Math.sqrt(fc2.reduce((sum, value) => sum + value ** 2, 0) / fc2.length);
  for (const [i, value] of fc2.entries()) expect(Math.abs(kept.fc2[i]! - value)).toBeLessThan(1e-3 * size);
  expect(blocks[0]!.share[128]).toBeCloseTo(ordered.loss[128]! / ordered.outputVariance, 10);
});
