import { beforeAll, describe, expect, it } from 'vitest';
import { compress } from '../../src/compress/pipeline.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { fp32 } from '../../src/compress/recipe.js';
import type { Step } from '../../src/compress/stage.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { changed, named } from './steps.js';
import { openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const altered = (changes: Parameters<typeof changed>[1]): Promise<ViT> => changed(bench.vit, changes);

describe.each(named)('numbers that are not finite, in %s', (_, step) => {
  it.each([
    ['patch.weight', NaN, /^(embedding|patch)/],
    ['layers.0.q.bias', NaN, /^layers\.0/],
    ['layers.1.fc1.weight', Infinity, /^layers\.1/],
    ['layers.1.fc2.weight', NaN, /^layers\.1/],
    ['layers.0.norm2.bias', -Infinity, /^layers\.0/],
  ])('are refused where %s has a %d', async (tensor, value, place) => {
    const vit = await altered({ [tensor]: (values) => (values[3] = value) });
    const fault = await refusalOf(() => compress(vit, { ...fp32, steps: [step] }, bench.context));
    expect(fault.source).toBe('the model');
    expect(fault.place).toMatch(place);
    expect(fault.found).toMatch(/^(NaN|-?Infinity)$/);
    expect(fault.expected).toBe('finite numbers');
  });
});

describe('a head with a number that is not finite', () => {
  const broken = (): Promise<ViT> => altered({ 'head.weight': (values) => (values[0] = NaN) });

  it('does not count as agreement with itself', async () => {
    const options = quantizeOptionsSchema.parse({
      alpha: 'off',
      images: 8,
      rows: 16,
      budget: { agreement: 0.5 },
    });
    const fault = await refusalOf(async () => quantize(await broken(), bench.context, options));
    expect(fault).toMatchObject({ place: 'head', found: 'NaN' });
  });

  it('is not stored as float16', async () => {
    const step: Step = { stage: 'precision', options: precisionOptionsSchema.parse({ images: 8 }) };
    const fault = await refusalOf(async () =>
      compress(await broken(), { ...fp32, steps: [step] }, bench.context),
    );
    expect(fault).toMatchObject({ place: 'head.weight', found: 'NaN' });
  });
});
