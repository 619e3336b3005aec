import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { fold, foldGroups } from '../../src/compress/quantize/fold.js';
import { logitsOf, maxDifference, openBench, type Bench } from './support.js';

describe('folding a channel transform', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  });

  const randomTransform = (seed: number): { scale: Float64Array; shift: Float64Array } => {
    const random = seededRandom(seed);
    return {
      scale: Float64Array.from({ length: 128 }, () => Math.exp(random.normal())),
      shift: Float64Array.from({ length: 128 }, () => random.normal()),
    };
  };

  it.each(foldGroups)('into the producer of "%s" leaves the function as it is, to 1e-4', async (group) => {
    let folded = bench.vit;
    for (let layer = 0; layer < 4; layer++) folded = await fold(folded, layer, group, randomTransform(layer));
    expect(maxDifference(await logitsOf(bench, folded), bench.reference)).toBeLessThan(1e-4);
  });

  it('into all producers at once leaves the function as it is, to 1e-4', async () => {
    let folded = bench.vit;
    for (let layer = 0; layer < 4; layer++)
      for (const [index, group] of foldGroups.entries())
        folded = await fold(folded, layer, group, randomTransform(10 * layer + index));
    expect(maxDifference(await logitsOf(bench, folded), bench.reference)).toBeLessThan(1e-4);
    const before = await bench.vit.weights.get('layers.2.v.weight')!.read();
    expect(await folded.weights.get('layers.2.v.weight')!.read()).not.toEqual(before);
  });
});
