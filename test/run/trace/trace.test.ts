import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { permutation, seededRandom } from '../../../src/base/random.js';
import { cacheKey } from '../../../src/cache/key.js';
import { cache } from '../../../src/cache/store.js';
import { readImages } from '../../../src/data/records.js';
import { readPreprocessing } from '../../../src/model/image-processor.js';
import { writeArtifact } from '../../../src/run/artifacts/write.js';
import { activationsOf } from '../../../src/run/trace/memory.js';
import { merged, overPatches, unmerged } from '../../../src/run/trace/patches.js';
import { attentionOf, traceVariant } from '../../../src/run/trace/trace.js';
import { nodeEngine } from '../../../src/runtime/node.js';
import { activationMemory } from '../../../src/onnx/liveness.js';
import { tokensAt } from '../../../src/vit/config.js';
import { buildGraph } from '../../../src/vit/graph/model.js';
import { fp32 } from '../../../src/compress/recipe.js';
import { useFolder } from '../../support/folder.js';
import { loadFolder } from '../../support/load.js';
import { microDirectory, openShapes } from '../../support/micro.js';

const folder = useFolder();

describe('tokens and the patches they stand for', () => {
  it('hold every patch once, whatever is merged', () => {
    const random = seededRandom(5);
    for (let trial = 0; trial < 50; trial++) {
      const [prefix, patches] = [random.integer(3), 16 + random.integer(30)];
      let tokens = unmerged(prefix, patches);
      for (let block = 0; block < 3; block++) {
        const own = tokens.map((_, token) => token).slice(prefix);
        const gone = permutation(own.length, random)
          .slice(0, random.integer(own.length))
          .map((at) => own[at]!);
        const staying = own.filter((token) => !gone.includes(token));
        const kept = [...Array.from({ length: prefix }, (_, token) => token), ...staying];
        const into = gone.map(() => staying[random.integer(staying.length)]!);
        tokens = merged(tokens, { kept, gone, into });
        expect(tokens).toHaveLength(kept.length);
        expect(tokens.flat().sort((a, b) => a - b)).toEqual(
          Array.from({ length: patches }, (_, patch) => patch),
        );
      }
      const weights = tokens.map(() => random.uniform());
      const ofPatches = tokens.reduce((sum, own, token) => sum + (own.length > 0 ? weights[token]! : 0), 0);
      const shares = overPatches(weights, tokens, patches);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(ofPatches, 10);
    }
  });

  it('are refused where a merge names one that is not there', () => {
    const merge = { kept: [0], gone: [9], into: [0] };
    expect(() => merged(unmerged(0, 2), merge)).toThrow(RangeError);
    expect(() => merged(unmerged(0, 2), { ...merge, gone: [1], into: [3] })).toThrow(RangeError);
  });
});

describe('attention', () => {
  it('is the mean of the softmax of each head', () => {
    // Two heads of one dimension, two tokens: e^(q·k) over their sum.
    const q = { values: [1, 2], rows: 1 };
    const share = (a: number, b: number): number => Math.exp(a) / (Math.exp(a) + Math.exp(b));
    const [first, second] = attentionOf(q, [1, 0, 3, 1], undefined, { heads: 2, tokens: 2 });
    expect(first).toBeCloseTo((share(1, 3) + share(0, 2)) / 2, 12);
    expect(first! + second!).toBeCloseTo(1, 12);
    // A bias that the score of one token cannot reach.
    expect(attentionOf(q, [1, 0, 3, 1], [0, -1e9], { heads: 2, tokens: 2 })).toEqual([1, 0]);
  });
});

describe('a model in the cache', () => {
  it('is looked into: its merges leave as many tokens as its last block has, and its memory is that of its graph', async () => {
    vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const { vit } = await loadFolder(microDirectory);
    const preprocessing = await readPreprocessing(`${microDirectory}/preprocessor_config.json`);
    const { test } = await openShapes();
    if (test.images.kind !== 'records') throw new Error('no records');
    const { records } = test.images;
    const images = { layout: records.layout, count: 3, pixels: await readImages(records, [0, 1, 2]) };
    const engine = await nodeEngine();
    const layers = vit.config.mlpSizes.length;
    for (const merges of [undefined, Array.from({ length: layers }, () => 2)]) {
      const variant = { ...vit, config: { ...vit.config, ...(merges && { merges }) } };
      const key = cacheKey('artifact', { merges: merges ?? [] });
      await cache().make(key, { title: 'a test' }, (directory) =>
        writeArtifact(directory, 'cpu', { preprocessing, scoredBy: undefined }, fp32, {
          vit: variant,
          stages: [],
        }),
      );
      const trace = await traceVariant(key.digest, images, engine);
      expect(trace!.images).toHaveLength(3);
      const left = tokensAt(variant.config, layers - 1);
      for (const { tokens, attention } of trace!.images) {
        expect(tokens).toHaveLength(left);
        expect(tokens.flat().sort((a, b) => a - b)).toEqual(attention.map((_, patch) => patch));
        expect(attention).toHaveLength(trace!.side ** 2);
        const sum = attention.reduce((all, share) => all + share, 0);
        expect(sum).toBeGreaterThan(0);
        expect(sum).toBeLessThan(1 + 1e-6);
      }
      const memory = await activationsOf(key.digest, 8);
      expect(memory!.peakBytes).toBe(activationMemory(buildGraph(variant), 8).peakBytes);
    }
    expect(await traceVariant('0'.repeat(64), images, engine)).toBeUndefined();
  });
});
