import { expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { readOnce } from '../../src/compress/read-once.js';
import type { TensorSource } from '../../src/onnx/tensor.js';
import { syntheticViT } from '../../src/vit/synthetic.js';
import { weightOf, type ViT } from '../../src/vit/vit.js';

/** A model that counts how often its weights are read. */
function counted(): { readonly vit: ViT; readonly reads: Map<string, number> } {
  const vit = syntheticViT('vit-tiny', 1, square(32), ['a', 'b']);
  const reads = new Map<string, number>();
  const counting = (name: string, tensor: TensorSource): TensorSource => ({
    ...tensor,
    read: () => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return tensor.read();
    },
  });
  const weights = new Map([...vit.weights].map(([name, tensor]) => [name, counting(name, tensor)]));
  return { vit: { ...vit, weights }, reads };
}

const NAME = 'layers.3.fc1.weight';

it('reads a weight when it is first asked for, and not again', async () => {
  const { vit, reads } = counted();
  const held = readOnce(vit);
  expect(reads.size).toBe(0);
  expect([...held.weights.keys()]).toEqual([...vit.weights.keys()]);
  const [first, second] = await Promise.all([weightOf(held, NAME).read(), weightOf(held, NAME).read()]);
  expect(await weightOf(held, NAME).read()).toBe(first);
  expect(second).toBe(first);
  expect([...reads]).toEqual([[NAME, 1]]);
  expect(Buffer.from(first).equals(Buffer.from(await weightOf(vit, NAME).read()))).toBe(true);
});

it('leaves a model in its files that is larger than what may stay in memory', () => {
  const { vit } = counted();
  expect(readOnce(vit, 1024 ** 2)).toBe(vit);
});
