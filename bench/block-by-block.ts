import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { square } from '../src/base/size.js';
import { plannedModel } from '../src/compress/planned.js';
import { stepOf } from '../src/compress/stage.js';
import { quantizeStage } from '../src/compress/stages/quantize.js';
import { withWidths } from '../src/compress/stand-ins.js';
import { GraphBuilder } from '../src/onnx/builder.js';
import { writeModel } from '../src/onnx/file.js';
import { layerCount, tokensAt } from '../src/vit/config.js';
import { emitBlock, emitLastBlock } from '../src/vit/graph/block.js';
import { emitEmbedding, emitPixels } from '../src/vit/graph/embedding.js';
import { emitHead } from '../src/vit/graph/head.js';
import type { Tokens } from '../src/vit/graph/merge.js';
import { syntheticViT } from '../src/vit/synthetic.js';
import type { ViT } from '../src/vit/vit.js';

const BATCH = 8;
const SIDE = 224;
const MIB = 2 ** 20;

const foundSchema = z.object({ milliseconds: z.number(), peak: z.number() });

/** Memory that was freed goes back to the system at once, in place of staying with the process. */
const GIVEN_BACK = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '0', MALLOC_MMAP_THRESHOLD_: '65536' };

/**
 * A model in INT8 with half of its MLP neurons, whole and in parts of which one at a time is in memory: each part's session is opened for each
 * batch, and its weights are read from the file. Peak over the runtime's base and processor time of a batch, a fresh process each. Stand-in
 * weights.
 */
export async function blockByBlock(): Promise<void> {
  for (const name of ['vit-base', 'vit-huge'] as const) {
    const float = syntheticViT(name, 1, square(SIDE), ['a', 'b']);
    const halved = withWidths(
      float,
      float.config.mlpSizes.map((width) => width / 2),
    );
    const vit = plannedModel(halved, [stepOf(quantizeStage, { format: 'w8a8' })]);
    const layers = layerCount(vit.config);
    for (const perPart of [layers, 4, 1]) {
      const folder = await mkdtemp(join(tmpdir(), 'edgeflex-blocks-'));
      try {
        const parts = await writeParts(vit, perPart, folder);
        for (const [words, environment] of Object.entries({ '': {}, ', memory given back': GIVEN_BACK })) {
          const { milliseconds, peak } = await measure(parts, environment);
          const title = `${name}, ${parts.length === 1 ? 'whole' : `${perPart} blocks at a time`}${words}`;
          console.log(
            `  ${title.padEnd(48)} ${(peak / MIB).toFixed(0).padStart(6)} MiB ${milliseconds.toFixed(0).padStart(7)} ms`,
          );
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
}

/** Writes a model as graphs of so many blocks each; the first begins with the embedding, the last ends with the head. */
async function writeParts(vit: ViT, perPart: number, folder: string): Promise<string[]> {
  const { config } = vit;
  const layers = layerCount(config);
  const paths: string[] = [];
  for (let from = 0; from < layers; from += perPart) {
    const g = new GraphBuilder(`part ${paths.length}`);
    let tokens: Tokens =
      from === 0
        ? { residual: emitEmbedding(g, vit, emitPixels(g, vit)), sizes: undefined }
        : {
            residual: g.input('residual', 'float32', [
              { perBatch: tokensAt(config, from) },
              config.hiddenSize,
            ]),
            sizes: undefined,
          };
    const end = Math.min(layers, from + perPart);
    for (let layer = from; layer < Math.min(end, layers - 1); layer++)
      tokens = emitBlock(g, vit, layer, tokens);
    g.output(end === layers ? emitHead(g, vit, emitLastBlock(g, vit, tokens)) : tokens.residual);
    const path = join(folder, `${paths.length}.onnx`);
    await writeModel(g.finish(), path);
    paths.push(path);
  }
  return paths;
}

async function measure(
  parts: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<z.infer<typeof foundSchema>> {
  const child = fileURLToPath(new URL('blocks/child.js', import.meta.url));
  const job = JSON.stringify({ parts, dims: [BATCH, 3, SIDE, SIDE] });
  const { stdout } = await promisify(execFile)(process.execPath, [child, job], {
    env: { ...process.env, ...environment },
  });
  return foundSchema.parse(JSON.parse(stdout));
}
