import { beforeAll, describe, expect, it } from 'vitest';
import { float32 } from '../../src/onnx/tensor.js';
import { withWeights } from '../../src/vit/vit.js';
import { logitsOf, maxDifference, openBench, type Bench } from '../compress/support.js';

describe('the float32 graph of the built-in model', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  });

  it('gives the logits that PyTorch gave, to 1e-3', async () => {
    expect(maxDifference(await logitsOf(bench, bench.vit), bench.reference)).toBeLessThan(1e-3);
  });

  it('gives the same logits whatever the batch size', async () => {
    const perImage = bench.pixels.length / 32;
    for (const images of [1, 3]) {
      const some = await logitsOf(bench, bench.vit, bench.pixels.slice(0, images * perImage));
      expect(maxDifference(some, bench.reference.slice(0, images * 10))).toBeLessThan(1e-3);
    }
  });

  it('notices when one weight of the last block is changed', async () => {
    const name = 'layers.3.fc2.bias';
    const changed = withWeights(bench.vit, [[name, float32([128], new Float32Array(128).fill(1))]]);
    expect(maxDifference(await logitsOf(bench, changed), bench.reference)).toBeGreaterThan(1e-2);
  });
});
