import { beforeAll, describe, expect, it } from 'vitest';
import { noCheckpoints, type CheckpointStore } from '../../src/compress/checkpoints.js';
import type { Calibration, StageContext } from '../../src/compress/context.js';
import { openJudge } from '../../src/compress/judge.js';
import { lossOf } from '../../src/compress/loss.js';
import { marginsOf } from '../../src/compress/margins.js';
import { chosenClasses } from '../../src/compress/observe/logits.js';
import { prune } from '../../src/compress/prune/stage.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { roughly } from '../../src/compress/quantize/rough.js';
import { referenceOn } from '../../src/compress/reference.js';
import { formOf } from '../../src/vit/vit.js';
import { linearNames } from '../../src/vit/linears.js';
import { logitsOf, openBench, pixelsOf, type Bench } from './support.js';

const CLASSES = 10;

let bench: Bench;
/** Held-out images, those of the data set several times over: 1,200, more than are run one and all. */
let images: Calibration<'check'>;
/** What the model says of them. */
let logits: Float32Array;
beforeAll(async () => {
  bench = await openBench();
  const all = await bench.context.calibration.holdout(10_000);
  images = all.only(Array.from({ length: 1200 }, (_, at) => at % all.count));
  const once = await logitsOf(bench, bench.vit, await pixelsOf(all));
  logits = Float32Array.from({ length: 1200 * CLASSES }, (_, at) => once[at % once.length]!);
});

/** A context that notes how many images ran of which model. */
function noting(): { readonly context: StageContext; readonly ran: Map<string, number> } {
  const ran = new Map<string, number>();
  const store: CheckpointStore = {
    ...noCheckpoints,
    put: (name, kept) => {
      const { logits: made } = kept.value as { logits: Float32Array };
      const model = name.split('.')[0]!;
      ran.set(model, (ran.get(model) ?? 0) + made.length / CLASSES);
      return noCheckpoints.put(name, kept);
    },
  };
  return { context: { ...bench.context, observations: () => Promise.resolve(store) }, ran };
}

describe('the reference that models are judged against', () => {
  it('runs on the images that it is least sure of, and a rough INT8 of it on all', async () => {
    const { context, ran } = noting();
    const reference = await referenceOn(context, bench.vit, images, [0, 1]);
    expect(ran.get('rough')).toBe(1200);
    expect(ran.get('known')).toBeLessThan(1200);
    expect([...reference.chosen]).toEqual(chosenClasses(logits, CLASSES));
    // Among those that it ran on itself: in order, and not above those that it did not run on by more than INT8 errs.
    const { apart } = marginsOf(logits, CLASSES);
    const first = await reference.leastSure(0, 512);
    const margins = first.map((image) => apart[image]!);
    for (let at = 1; at < first.length; at++) expect(margins[at]!).toBeGreaterThan(margins[at - 1]! - 1e-4);
    const others = [...apart.keys()].filter((image) => !first.includes(image));
    const least = Math.min(...others.map((image) => apart[image]!));
    expect(margins.filter((margin) => margin > least).length).toBeLessThan(0.1 * 512);
  });

  it('runs on all of them where it is asked for all, each once', async () => {
    const { context, ran } = noting();
    const reference = await referenceOn(context, bench.vit, images, [0, 1]);
    const all = await reference.leastSure(0, 1200);
    expect([...all].sort((a, b) => a - b)).toEqual([...images.classes.keys()]);
    expect(ran.get('known')).toBe(1200);
    expect(await reference.leastSure(3, 40)).toEqual(all.slice(3, 40));
  });

  it('runs on all of a few images, and no rough model does', async () => {
    const { context, ran } = noting();
    const few = images.only(Array.from({ length: 600 }, (_, at) => at));
    const { chosen } = await referenceOn(context, bench.vit, few, [0, 1]);
    expect([...ran]).toEqual([['known', 600]]);
    expect([...chosen]).toEqual(chosenClasses(logits, CLASSES).slice(0, 600));
  });

  it('lets a judge find what running everything on all images finds', async () => {
    const { vit } = await prune(
      bench.vit,
      bench.context,
      pruneOptionsSchema.parse({ ratio: 0.5, images: 64 }),
    );
    const after = chosenClasses(await logitsOf(bench, vit, await pixelsOf(images)), CLASSES);
    const before = Uint16Array.from(chosenClasses(logits, CLASSES));
    const whole = lossOf('accuracy', images.classes, before, Uint16Array.from(after));
    const judge = await openJudge(bench.context, bench.vit, images, [0, 1]);
    const judged = await judge.judge(vit, { points: 100, confidence: 0.8 });
    expect(judge.accuracy).toBe(before.filter((choice, at) => choice === images.classes[at]).length / 1200);
    expect(judged.points).toEqual(whole.points);
    expect(judged.changed).toBe(whole.changed);
  });
});

describe('a rough model', () => {
  it('has INT8 in place of every float linear, of seven bits, and nearly the same logits', async () => {
    const rough = await roughly(bench.vit);
    for (const linear of linearNames(rough.config)) {
      expect(formOf(rough, linear).kind).toBe('dynamic');
      const bytes = await rough.weights.get(`${linear}.weight`)!.read();
      const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      expect(Math.max(...values.map(Math.abs))).toBe(64);
    }
    const of = chosenClasses(await logitsOf(bench, rough, bench.pixels), CLASSES);
    const same = of.filter((choice, at) => choice === chosenClasses(bench.reference, CLASSES)[at]);
    expect(same.length).toBeGreaterThan(0.9 * of.length);
  });

  it('leaves linears that are INT8 already', async () => {
    const once = await roughly(bench.vit);
    expect((await roughly(once)).weights).toEqual(once.weights);
  });
});
