import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { mean, sampleVariance } from 'simple-statistics';
import { seededRandom } from '../../src/base/random.js';
import { calibrationSource } from '../../src/compress/calibration.js';
import { chancesAfter } from '../../src/compress/chances.js';
import { chosenClasses } from '../../src/compress/observe/logits.js';
import { artifactOf } from '../../src/run/artifacts/artifact.js';
import type { BuildContext } from '../../src/run/artifacts/build-context.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { openHoldout } from '../../src/search/holdout.js';
import { judgeBy, lossEstimate } from '../../src/search/judged-loss.js';
import { openLossJudge } from '../../src/search/loss-judge.js';
import { recipeOf, untouched } from '../../src/search/settings.js';
import { tokenCount } from '../../src/vit/config.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, openShapes } from '../support/micro.js';

const folder = useFolder();
const data = await openShapes();
const context: BuildContext = {
  ...{ engine: await nodeEngine(), threads: 1, train: data.train, seed: 1, device: undefined },
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const micro = await loadModel(
  await modelHere({ kind: 'path', name: 'micro', path: microDirectory }),
  data.test.labels,
);

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder());
  onTestFinished(() => void vi.unstubAllEnvs());
});

describe('the judge of losses', () => {
  it('tells how many images there is time for, and how many are held out', async () => {
    // A quarter of the 512 of shapes10 is held out; in 20 seconds there is time for 200 of 100 ms, and for 100 of 200 ms.
    expect(await openLossJudge(micro, context, 100)).toMatchObject({ images: 128, affordable: 200 });
    expect(await openLossJudge(micro, context, 200)).toMatchObject({ images: 100, affordable: 100 });
  });

  it('expects what images that change class cost by how likely the model finds both classes; where weights are from a seed, an image each', async () => {
    const { engine, threads, train, seed, signal } = context;
    const { config } = micro.vit;
    const judge = await openLossJudge(micro, context, 1);
    const recipe = recipeOf('half', '', { ...untouched, prune: { ratio: 0.5, widths: [] }, keep: [] });
    const artifact = await artifactOf(micro, recipe, context);
    const loss = await judge.recipe(artifact);

    const source = calibrationSource(engine, threads, train, micro.preprocessing, tokenCount(config), seed);
    const images = await source.holdout(judge.images);
    const holdout = await openHoldout(engine, threads, images, () => {
      signal.throwIfAborted();
    });
    const classes = config.labels.length;
    const before = await holdout.logits(judge.trained, config, images.count);
    const after = chosenClasses(await holdout.logits(artifact, config, images.count), classes);
    const chances = chancesAfter(before, images.classes, classes);
    const costs = chosenClasses(before, classes).map(
      (own, image) => chances.of(image, own) - chances.of(image, after[image]!),
    );
    const changes = costs.filter((cost) => cost > 0).length;
    expect(changes).toBeGreaterThan(0);
    expect(loss.changed).toBe(changes / images.count);
    const { value, low, high } = loss.expected!;
    expect(value).toBeCloseTo((100 * costs.reduce((sum, cost) => sum + cost, 0)) / images.count, 9);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(lossEstimate(loss)).toBe(loss.expected);
    expect((await judge.recipe(judge.trained)).expected).toMatchObject({ value: 0, low: 0 });

    const agreement = await (await openLossJudge({ ...micro, synthetic: true }, context, 1)).recipe(artifact);
    expect(agreement.points.value).toBeCloseTo(100 * loss.changed, 12);
    expect(agreement).not.toHaveProperty('expected');
    expect(lossEstimate(agreement)).toBe(agreement.points);
  });
});

it('what is expected is what is counted in the mean, with less than half of its deviation', () => {
  const [images, classes] = [400, 3];
  const random = seededRandom(5);
  const logits = Float32Array.from({ length: images * classes }, () => 2 * random.normal());
  const reference = Uint16Array.from(chosenClasses(logits, classes));
  const variant = Uint16Array.from(
    chosenClasses(
      logits.map((logit) => logit + 0.5 * random.normal()),
      classes,
    ),
  );
  // Classes that are as likely as the logits say.
  const drawn = (): Uint16Array =>
    Uint16Array.from({ length: images }, (_, image) => {
      const odds = [...logits.subarray(image * classes, (image + 1) * classes)].map(Math.exp);
      let left = random.uniform() * odds.reduce((sum, each) => sum + each, 0);
      const label = odds.findIndex((each) => (left -= each) < 0);
      return label < 0 ? classes - 1 : label;
    });
  const found = Array.from({ length: 100 }, () => judgeBy('accuracy', logits, drawn(), reference)(variant));
  const counted = found.map(({ points }) => points.value);
  const expected = found.map((loss) => loss.expected!.value);
  const deviation = Math.sqrt(sampleVariance(counted));
  expect(Math.abs(mean(counted) - mean(expected))).toBeLessThan(4 * (deviation / Math.sqrt(found.length)));
  expect(Math.sqrt(sampleVariance(expected))).toBeLessThan(deviation / 2);

  // The first images are judged by the same chances as all are.
  const judge = judgeBy('accuracy', logits, drawn(), reference);
  const first = images / 4;
  const rest = judge(variant.map((choice, image) => (image < first ? choice : reference[image]!)));
  expect(judge(variant.subarray(0, first)).expected!.value).toBeCloseTo(4 * rest.expected!.value, 9);
});
