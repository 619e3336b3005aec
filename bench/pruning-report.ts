import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { defined } from '../src/base/defined.js';
import type { StageContext } from '../src/compress/context.js';
import { openBlas } from '../src/compress/linalg/blas.js';
import { ridgeOf } from '../src/compress/linalg/covariance.js';
import { lossOf, outcomesOf } from '../src/compress/loss.js';
import { chosenClasses, logitsApart, logitsFor } from '../src/compress/observe/logits.js';
import { pairedDifference } from '../src/stats/mcnemar.js';
import { MODEL, openBench, streamsApart } from './pruning-bench.js';
import type { AloneFigures, CertaintyFigures, Figures, VariantFigures } from './pruning-report/figures.js';
import { momentsAfter, observed, USUAL } from './pruning-report/observed.js';
import { plots } from './pruning-report/plots.js';
import { eachAlone, usualOrder, variantsOf } from './pruning-report/variants.js';

/** Share of all neurons that go. */
const RATIO = Number(process.env['RATIO'] ?? 0.5);
const OUT = process.env['OUT'] ?? join('dist', 'pruning-report');

/** Held-out training images on which blocks are narrowed one at a time. */
const ALONE = 32;

/** Images are put into so many groups, by how sure the model is of them. */
const GROUPS = 10;

/**
 * Why pruning MLPs costs what it costs: what each block alone does to the logits and what was predicted of it; the error on its way through
 * the blocks; widths, training images, ridge, inputs and compensation against one another on test images; which images change. Written to
 * the folder `OUT` as `figures.json` and as pictures of it.
 */
export async function pruningReport(): Promise<void> {
  const bench = await openBench();
  const { vit, context, truth } = bench;
  const classes = vit.config.labels.length;
  const blas = await openBlas(context.engine, context.threads);
  const whole = await bench.logits(vit);
  const before = Uint16Array.from(chosenClasses(whole, classes));
  const labels = Uint16Array.from(truth);
  const blocks = await observed(context, vit);
  const usual = await usualOrder(vit, blocks, blas);
  console.log(`${MODEL}: ${rightOf(before, labels)} of ${labels.length} images right`);

  const reference = await heldOut(context, vit, 'whole');
  const alone: AloneFigures[] = [];
  for (const [block, { vit: narrow, squared, relative }] of (
    await eachAlone(vit, blocks, usual, blas)
  ).entries()) {
    const { error } = logitsApart(await heldOut(context, narrow, `alone.${block}`), reference, classes);
    alone.push({ block: block + 1, squared, relative, logits: error });
    console.log(JSON.stringify(alone.at(-1)));
  }

  const variants: VariantFigures[] = [];
  const certainty: CertaintyFigures[] = [];
  const about = {
    model: basename(MODEL),
    ...{ ratio: RATIO, calibratedOn: USUAL, images: labels.length, right: rightOf(before, labels) },
    machine: `${defined(cpus()[0], 'a processor').model}, ${context.threads} threads, ${context.engine.info.name} ${context.engine.info.version}`,
    date: new Date().toISOString().slice(0, 10),
    ridge: meanRidge(blocks.map((block) => momentsAfter(block, USUAL))),
  };
  await mkdir(OUT, { recursive: true });
  // After each way, since all of them take long.
  const save = async (): Promise<Figures> => {
    const figures: Figures = { ...about, alone, variants, certainty };
    await writeFile(join(OUT, 'figures.json'), `${JSON.stringify(figures, undefined, 2)}\n`);
    return figures;
  };
  for (const variant of variantsOf(context, vit, blocks, usual, RATIO, blas)) {
    const pruned = await variant.make();
    const logits = await bench.logits(pruned);
    const after = Uint16Array.from(chosenClasses(logits, classes));
    const { question, name, widths } = variant;
    const { points, changed } = lossOf('accuracy', labels, before, after);
    const figures = {
      ...{ question, name, widths, right: rightOf(after, labels), points, changed },
      logits: logitsApart(logits, whole, classes).error,
      ...(question === 'widths' && { apart: await streamsApart(context, vit, pruned) }),
    };
    variants.push(figures);
    if (question === 'widths') certainty.push(...bySureness(name, whole, before, after, labels, classes));
    await save();
    console.log(JSON.stringify({ ...figures, widths: widths.join(' '), apart: undefined }));
  }
  await blas.close();
  const figures = await save();
  for (const [name, svg] of await plots(figures)) await writeFile(join(OUT, `${name}.svg`), svg);
  console.log(`written to ${OUT}`);
}

/** Logits for held-out training images. */
async function heldOut(
  context: StageContext,
  vit: Parameters<typeof logitsFor>[1],
  name: string,
): Promise<Float32Array> {
  const images = await context.calibration.holdout(ALONE);
  return logitsFor(context, vit, { name, images, progress: [0, 1] });
}

function rightOf(choices: Uint16Array, labels: Uint16Array): number {
  return choices.filter((choice, image) => choice === labels[image]).length;
}

/** The ridge that pruning adds by itself, as a share of the mean variance of the neurons; mean over the blocks. */
function meanRidge(blocks: readonly ReturnType<typeof momentsAfter>[]): number {
  const shares = blocks.map(({ rows, mean, covariance }) => {
    const n = mean.length;
    let trace = 0;
    for (let i = 0; i < n; i++) trace += covariance[i * n + i]!;
    return (ridgeOf(covariance, n, rows) * n) / trace;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** By how sure the whole model is of an image: shares of images that get another class, and what that costs. */
function bySureness(
  name: string,
  whole: Float32Array,
  before: Uint16Array,
  after: Uint16Array,
  labels: Uint16Array,
  classes: number,
): CertaintyFigures[] {
  const sureness = Array.from(before, (_, image) => {
    const sorted = whole.slice(image * classes, (image + 1) * classes).sort();
    return { image, margin: sorted[classes - 1]! - sorted[classes - 2]! };
  }).sort((a, b) => a.margin - b.margin);
  return Array.from({ length: GROUPS }, (_, group) => {
    const from = Math.round((group * sureness.length) / GROUPS);
    const images = sureness.slice(from, Math.round(((group + 1) * sureness.length) / GROUPS));
    const of = (values: Uint16Array): Uint16Array => Uint16Array.from(images, ({ image }) => values[image]!);
    const outcomes = outcomesOf('accuracy', of(labels), of(before), of(after));
    const changed = images.filter(({ image }) => before[image] !== after[image]).length;
    return {
      ...{ name, group: group + 1, images: images.length, changed },
      ...{ lost: outcomes.onlyFirst, won: outcomes.onlySecond },
      margin: defined(images.at(-1), 'an image').margin,
      points: pairedDifference(outcomes, images.length).value,
    };
  });
}
