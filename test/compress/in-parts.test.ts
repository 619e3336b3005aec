import { beforeAll, describe, expect, it } from 'vitest';
import type { Kept } from '../../src/compress/checkpoints.js';
import { outputsInParts, PART } from '../../src/compress/observe/in-parts.js';
import { logitsFor } from '../../src/compress/observe/logits.js';
import type { ViT } from '../../src/vit/vit.js';
import { maxDifference, memoryOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

describe('what a model gives for more images than run at a time', () => {
  it('is what it gives for all of them at once, and is kept part by part', async () => {
    const { context, vit } = bench;
    const images = await context.calibration.images(PART + 32);
    const kept = new Map<string, Kept<unknown>>();
    const store = memoryOf(kept);
    const told: number[] = [];
    const outputs = (make: () => Promise<ViT>): Promise<Float32Array> =>
      outputsInParts(context, make, images, { store, name: 'all' }, (done) => told.push(done));

    const first = await outputs(() => Promise.resolve(vit));
    const whole = await logitsFor(context, vit, { name: 'whole', images, progress: [0, 1] });
    expect(maxDifference(first, whole)).toBeLessThan(1e-4);
    expect(told).toEqual([0, PART]);
    expect([...kept.keys()]).toEqual(['all.0', `all.${PART}`]);

    expect(await outputs(() => Promise.reject(new Error('all is there')))).toEqual(first);
    kept.delete(`all.${PART}`);
    expect(await outputs(() => Promise.resolve(vit))).toEqual(first);
    kept.delete('all.0');
    await expect(outputs(() => Promise.reject(new Error('a part is missing')))).rejects.toThrow('missing');
  });
});
