import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { elementCount } from '../../src/onnx/tensor.js';
import { syntheticViT } from '../../src/vit/synthetic.js';
import { parameterCount, weightShapes } from '../../src/vit/vit.js';

const imagenet = Array.from({ length: 1000 }, (_, i) => `class ${i}`);

describe('synthetic architectures', () => {
  // Counts of the reference implementations with a head for 1,000 classes.
  it.each([
    ['vit-tiny', 5_717_416],
    ['vit-small', 22_050_664],
    ['vit-base', 86_567_656],
    ['vit-large', 304_326_632],
    ['vit-huge', 632_045_800],
  ] as const)('%s has %i parameters', (name, count) => {
    expect(parameterCount(syntheticViT(name, 1, square(224), imagenet).config)).toBe(count);
  });

  it('has a tensor of the right size for every shape, and no other', async () => {
    const vit = syntheticViT('vit-tiny', 1, square(32), ['a', 'b']);
    expect([...vit.weights.keys()].sort()).toEqual([...weightShapes(vit.config).keys()].sort());
    for (const [name, dims] of weightShapes(vit.config))
      expect((await vit.weights.get(name)!.read()).byteLength).toBe(4 * elementCount(dims));
  });

  it('gives the same weights for the same seed, others for another, and differs from tensor to tensor', async () => {
    const read = async (seed: number, name: string): Promise<Uint8Array> =>
      syntheticViT('vit-tiny', seed, square(32), ['a', 'b']).weights.get(name)!.read();
    expect(await read(1, 'layers.0.q.weight')).toEqual(await read(1, 'layers.0.q.weight'));
    expect(await read(2, 'layers.0.q.weight')).not.toEqual(await read(1, 'layers.0.q.weight'));
    expect(await read(1, 'layers.0.k.weight')).not.toEqual(await read(1, 'layers.0.q.weight'));
  });

  it('draws weights with the spread that ViTs are initialised with', async () => {
    const bytes = await syntheticViT('vit-tiny', 1, square(32), ['a', 'b'])
      .weights.get('layers.0.fc1.weight')!
      .read();
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean)).toBeLessThan(2e-4);
    expect(deviation).toBeCloseTo(0.02, 3);
  });
});
