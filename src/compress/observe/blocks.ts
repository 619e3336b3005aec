import { GraphBuilder } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { float32, viewAs, type TensorSource } from '../../onnx/tensor.js';
import type { Tensor } from '../../runtime/engine.js';
import { layerCount, tokensAt, type ViTConfig } from '../../vit/config.js';
import { emitBlock, emitLastBlock } from '../../vit/graph/block.js';
import { emitEmbedding, emitPixels, INPUT } from '../../vit/graph/embedding.js';
import { emitHead } from '../../vit/graph/head.js';
import type { Tokens } from '../../vit/graph/merge.js';
import type { LinearRole } from '../../vit/linears.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import type { Tensors } from '../checkpoints.js';
import { finite } from '../weights.js';
import { joined } from './joined.js';
import { openedEachTime, type PartSessions } from './sessions.js';
import type { Tap } from './taps.js';

const RESIDUAL = 'residual';
const SIZES = 'sizes';

/**
 * The calibration images on their way through a model, one block at a time: what is held is the residual stream between
 * two blocks, whatever the depth. A stage can change a block before the images pass it, so that the next block is
 * calibrated on what it will really read. Numbers on the way that are not finite are refused: nothing can be calibrated on
 * them.
 */
export interface BlockStream {
  /** How many images are on their way. */
  readonly images: number;
  /** Images in a batch. */
  readonly batchSize: number;
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
   * What the last block, before which the stream stands, and the head make of it: `[images, classes]`. Of the block only what the head
   * reads is computed.
   *
   * @param vit - the model that they are taken from
   */
  logits(vit: ViT): Promise<Float32Array>;
  /** The images where they stand, for `restoreStream`. */
  states(): Tensors;
}

/**
 * Puts calibration images through a model's embedding.
 *
 * @param context - runtime and threads
 * @param vit - the model
 * @param calibration - the images
 * @param sessions - of the model, where they are to serve further images, too: nothing is observed there, then
 */
export async function openStream(
  context: StageContext,
  vit: ViT,
  calibration: Calibration,
  sessions: PartSessions = openedEachTime(context),
): Promise<BlockStream> {
  const { config } = vit;
  const g = new GraphBuilder('embedding');
  const embedding = emitEmbedding(g, vit, emitPixels(g, vit));
  g.output(embedding);
  const { height, width } = config.imageSize;
  const dims = [calibration.batchSize, config.channels, height, width];
  const states = await sessions.within('embedding', g.finish(), async (session) => {
    const embedded: State[] = [];
    for await (const pixels of calibration.batches()) {
      context.throwIfStopped();
      const outputs = await session.run({ [INPUT]: context.engine.tensor('float32', pixels, dims) });
      const residual = finite(valuesOf(outputs, embedding), 'embedding');
      embedded.push({ residual, sizes: undefined });
    }
    return embedded;
  });
  return streamOf(context, sessions, states, calibration.batchSize);
}

/**
 * Puts calibration images back to where they stood.
 *
 * @param context - runtime and threads
 * @param calibration - the images
 * @param states - what the stream gave of them
 */
export async function restoreStream(
  context: StageContext,
  calibration: Calibration,
  states: Tensors,
): Promise<BlockStream> {
  const read = async (name: string): Promise<Float32Array | undefined> => {
    const tensor = states.get(name);
    return tensor && viewAs(await tensor.read(), Float32Array);
  };
  const batches: State[] = [];
  for (;;) {
    const residual = await read(`${batches.length}.residual`);
    if (residual === undefined)
      return streamOf(context, openedEachTime(context), batches, calibration.batchSize);
    batches.push({ residual, sizes: await read(`${batches.length}.sizes`) });
  }
}

/** How many token rows a linear reads. */
export interface Rows {
  /** In all. */
  readonly rows: number;
  /** In a batch. */
  readonly rowsPerBatch: number;
}

/**
 * How many token rows of a stream a linear reads: fewer behind the attention of a block that merges tokens.
 *
 * @param stream - the images
 * @param config - the architecture
 * @param layer - the block
 * @param role - the linear
 */
export function rowsOf(
  { images, batchSize }: Pick<BlockStream, 'images' | 'batchSize'>,
  config: ViTConfig,
  layer: number,
  role: LinearRole,
): Rows {
  const tokens = tokensAt(config, role === 'fc1' || role === 'fc2' ? layer + 1 : layer);
  return { rows: images * tokens, rowsPerBatch: batchSize * tokens };
}

/** A batch between two blocks. */
interface State {
  /** `[batchSize·tokens, hidden]`. */
  readonly residual: Float32Array;
  /** `[batchSize, tokens, 1]`; undefined where no token was merged yet. */
  readonly sizes: Float32Array | undefined;
}

function streamOf(
  context: StageContext,
  sessions: PartSessions,
  start: readonly State[],
  batchSize: number,
): BlockStream {
  const states = [...start];
  const { engine } = context;

  /** Declares the inputs for the stream at a block. */
  const entry = (g: GraphBuilder, { config }: ViT, layer: number): Tokens => {
    const tokens = tokensAt(config, layer);
    return {
      residual: g.input(RESIDUAL, 'float32', [{ perBatch: tokens }, config.hiddenSize]),
      sizes: states[0]!.sizes && g.input(SIZES, 'float32', [batch, tokens, 1]),
    };
  };

  const run = async (
    g: GraphBuilder,
    place: string,
    hiddenSize: number,
    taps: readonly Tap<unknown>[],
    take: (outputs: Readonly<Record<string, Tensor>>, index: number) => void,
  ): Promise<void> => {
    await sessions.within(place, g.finish(), async (session) => {
      for (const [index, state] of states.entries()) {
        context.throwIfStopped();
        const feeds = Object.assign({}, ...taps.map((tap) => tap.feeds?.() ?? {})) as Record<string, Tensor>;
        const rows = state.residual.length / hiddenSize;
        feeds[RESIDUAL] = engine.tensor('float32', state.residual, [rows, hiddenSize]);
        if (session.inputNames.includes(SIZES))
          feeds[SIZES] = engine.tensor('float32', state.sizes!, [batchSize, rows / batchSize, 1]);
        const outputs = await session.run(feeds);
        for (const { data } of Object.values(outputs)) finite(data as Float32Array, place);
        for (const tap of taps) tap.add(outputs);
        take(outputs, index);
      }
    });
  };

  const block = async (
    vit: ViT,
    layer: number,
    taps: readonly Tap<unknown>[],
    moves: boolean,
  ): Promise<void> => {
    const g = new GraphBuilder(`block ${layer}`);
    const before = entry(g, vit, layer);
    const { sizes, ...values } = emitBlock(g, vit, layer, before);
    for (const tap of taps) for (const value of tap.emit(g, values)) g.output(value);
    const merged = sizes === before.sizes ? undefined : sizes;
    if (moves) g.output(values.residual);
    if (moves && merged !== undefined) g.output(merged);
    return run(g, `layers.${layer}`, vit.config.hiddenSize, taps, (outputs, index) => {
      if (!moves) return;
      // In place, batch by batch: the stream is large, and two of it would be what takes most memory.
      states[index] = {
        residual: valuesOf(outputs, values.residual),
        sizes: merged === undefined ? states[index]!.sizes : valuesOf(outputs, merged),
      };
    });
  };

  const end = async (vit: ViT): Promise<Float32Array> => {
    const g = new GraphBuilder('head');
    const last = layerCount(vit.config) - 1;
    const output = emitHead(g, vit, emitLastBlock(g, vit, entry(g, vit, last)));
    g.output(output);
    const batches: Float32Array[] = [];
    await run(g, 'head', vit.config.hiddenSize, [], (outputs) => {
      batches.push(valuesOf(outputs, output));
    });
    return joined(batches);
  };

  return {
    images: states.length * batchSize,
    batchSize,
    observe: (vit, layer, taps) => block(vit, layer, taps, false),
    advance: (vit, layer, taps = []) => block(vit, layer, taps, true),
    logits: end,
    states: () =>
      new Map(
        states.flatMap((state, index) =>
          (['residual', 'sizes'] as const).flatMap((part): [string, TensorSource][] => {
            const values = state[part];
            return values ? [[`${index}.${part}`, float32([values.length], values)]] : [];
          }),
        ),
      ),
  };
}

/** What a session gave for an output of its graph, which is of floats. */
function valuesOf(
  outputs: Readonly<Record<string, Tensor>>,
  { name }: { readonly name: string },
): Float32Array {
  const output = outputs[name];
  if (output === undefined) throw new Error(`the session gave nothing for its output ${name}`);
  return output.data as Float32Array;
}
