import { GraphBuilder } from '../../onnx/builder.js';
import { serializeModel } from '../../onnx/file.js';
import { defaultSessionOptions } from '../../runtime/engine.js';
import { tokenCount } from '../../vit/config.js';
import { emitBlock } from '../../vit/graph/block.js';
import { emitEmbedding, emitPixels, INPUT } from '../../vit/graph/embedding.js';
import { emitHead, OUTPUT } from '../../vit/graph/head.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { finite } from '../weights.js';
import type { Tap } from './taps.js';

const RESIDUAL = 'residual';

/**
 * The calibration images on their way through a model, one block at a time: what is held is the residual stream between
 * two blocks, whatever the depth. A stage can change a block before the images pass it, so that the next block is
 * calibrated on what it will really read. Numbers on the way that are not finite are refused: nothing can be calibrated on
 * them.
 */
export interface BlockStream {
  /** How many images are on their way. */
  readonly images: number;
  /** Token rows in all. */
  readonly rows: number;
  /** Token rows in a batch. */
  readonly rowsPerBatch: number;
  /**
   * Runs a block over the stream without moving it, for the taps alone.
   *
   * @param vit - the model the block is taken from
   * @param layer - which block
   * @param taps - what to observe
   */
  observe(vit: ViT, layer: number, taps: readonly Tap<unknown>[]): Promise<void>;
  /** Moves the stream through a block, observing it on the way. */
  advance(vit: ViT, layer: number, taps?: readonly Tap<unknown>[]): Promise<void>;
  /**
   * What the model's head makes of the stream: `[images, classes]`.
   *
   * @param vit - the model the head is taken from
   */
  logits(vit: ViT): Promise<Float32Array>;
}

/**
 * Puts calibration images through a model's embedding.
 *
 * @param context - runtime and threads
 * @param vit - the model
 * @param calibration - the images
 */
export async function openStream(
  context: StageContext,
  vit: ViT,
  calibration: Calibration,
): Promise<BlockStream> {
  const { config } = vit;
  const g = new GraphBuilder('embedding');
  const embedding = emitEmbedding(g, vit, emitPixels(g, vit));
  g.output(embedding);
  const session = await openGraph(context, g);
  const states: Float32Array[] = [];
  try {
    const dims = [calibration.batchSize, config.channels, config.imageSize, config.imageSize];
    for await (const pixels of calibration.batches()) {
      context.checkpoint();
      const outputs = await session.run({ [INPUT]: context.engine.tensor('float32', pixels, dims) });
      states.push(finite(outputs[embedding.name]!.data as Float32Array, 'embedding'));
    }
  } finally {
    await session.close();
  }
  return streamOf(context, states, calibration.batchSize, tokenCount(config), config.hiddenSize);
}

function streamOf(
  context: StageContext,
  start: readonly Float32Array[],
  batchSize: number,
  tokens: number,
  width: number,
): BlockStream {
  let states = start;
  const rows = batchSize * tokens;

  const run = async (
    g: GraphBuilder,
    place: string,
    output: string,
    taps: readonly Tap<unknown>[],
    keep: boolean,
  ): Promise<Float32Array[]> => {
    const session = await openGraph(context, g);
    const results: Float32Array[] = [];
    try {
      for (const state of states) {
        context.checkpoint();
        const feeds = Object.assign({}, ...taps.map((tap) => tap.feeds?.() ?? {})) as object;
        const residual = context.engine.tensor('float32', state, [rows, width]);
        const outputs = await session.run({ ...feeds, [RESIDUAL]: residual });
        for (const { data } of Object.values(outputs)) finite(data as Float32Array, place);
        for (const tap of taps) tap.add(outputs);
        if (keep) results.push(outputs[output]!.data as Float32Array);
      }
    } finally {
      await session.close();
    }
    return results;
  };

  const block = async (
    vit: ViT,
    layer: number,
    taps: readonly Tap<unknown>[],
    keep: boolean,
  ): Promise<Float32Array[]> => {
    const g = new GraphBuilder(`block ${layer}`);
    const values = emitBlock(g, vit, layer, g.input(RESIDUAL, 'float32', [{ perBatch: tokens }, width]));
    for (const tap of taps) for (const value of tap.emit(g, values)) g.output(value);
    if (keep) g.output(values.residual);
    return run(g, `layers.${layer}`, values.residual.name, taps, keep);
  };

  return {
    images: states.length * batchSize,
    rows: states.length * rows,
    rowsPerBatch: rows,
    observe: async (vit, layer, taps) => {
      await block(vit, layer, taps, false);
    },
    advance: async (vit, layer, taps = []) => {
      states = await block(vit, layer, taps, true);
    },
    logits: async (vit) => {
      const g = new GraphBuilder('head');
      g.output(emitHead(g, vit, g.input(RESIDUAL, 'float32', [{ perBatch: tokens }, width])));
      const batches = await run(g, 'head', OUTPUT, [], true);
      const all = new Float32Array(batches.reduce((sum, batch) => sum + batch.length, 0));
      let at = 0;
      for (const batch of batches) {
        all.set(batch, at);
        at += batch.length;
      }
      return all;
    },
  };
}

async function openGraph(context: StageContext, g: GraphBuilder): ReturnType<StageContext['engine']['open']> {
  return context.engine.open(await serializeModel(g.finish()), {
    ...defaultSessionOptions,
    threads: context.threads,
  });
}
