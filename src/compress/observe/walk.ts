import type { TensorSource } from '../../onnx/tensor.js';
import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { changesOf, withChanges, type Changes, type Kept, type Tensors } from '../checkpoints.js';
import { openStream, restoreStream, type BlockStream } from './blocks.js';

/** What a stage made of a block. */
export interface Visited<T> {
  /** The model, this block changed or not. */
  readonly vit: ViT;
  /** Anything that can be cloned. */
  readonly value: T;
  /** Tensors that are no part of the model. */
  readonly aside?: Tensors;
}

/** How images walk through a model. */
export interface Walk<T> {
  /** Tells the walks of a stage apart. */
  readonly name: string;
  readonly images: Calibration;
  /** What of the stage's progress the walk is, from 0 to 1. */
  readonly progress: readonly [from: number, to: number];
  /** What is done at each block, in words before `block 3 of 12`. */
  readonly what?: string;
  /**
   * Visits a block: looks at it, may change it, and moves the stream through it unless it is the last.
   *
   * @param vit - the model, the blocks before this one changed
   * @param stream - the images before the block
   * @param layer - which block
   */
  visit(vit: ViT, stream: BlockStream, layer: number): Promise<Visited<T>>;
}

/** The end of a walk. */
export interface Walked<T> {
  readonly vit: ViT;
  /** One for each block. */
  readonly values: readonly T[];
  /** All that was put aside. */
  readonly aside: Tensors;
}

interface Entry<T> {
  readonly changes: Changes;
  readonly value: T;
  /** Names of the tensors that are no part of the model. */
  readonly aside: readonly string[];
  readonly seconds: number;
}

/**
 * Walks images through the blocks of a model, first to last. What each block gave is kept with the images as they leave it, so
 * that interrupted work goes on at the block where it stopped.
 *
 * @param context - the stage's context
 * @param vit - the model before the walk
 * @param walk - what to do on the way
 */
export async function walkBlocks<T>(context: StageContext, vit: ViT, walk: Walk<T>): Promise<Walked<T>> {
  const { checkpoints } = context;
  const layers = layerCount(vit.config);
  const [from, to] = walk.progress;
  const values: T[] = [];
  const aside: (readonly [string, TensorSource])[] = [];
  let current = vit;
  const passed = (entry: Entry<T>, tensors: Tensors): void => {
    const own = new Set(entry.aside);
    current = withChanges(current, {
      value: entry.changes,
      tensors: new Map([...tensors].filter(([name]) => !own.has(name))),
    });
    values.push(entry.value);
    aside.push(...[...tensors].filter(([name]) => own.has(name)));
  };

  const { known, stream: restored } = await resumed<T>(context, walk, layers);
  for (const { value, tensors } of known) {
    passed(value, tensors);
    context.workedBefore(value.seconds);
  }
  if (known.length < layers) {
    const stream = restored ?? (await openStream(context, vit, walk.images));
    for (let layer = known.length; layer < layers; layer++) {
      context.onProgress(
        from + ((to - from) * layer) / layers,
        `${walk.what ?? ''}block ${layer + 1} of ${layers}`,
      );
      const started = performance.now();
      const visited = await walk.visit(current, stream, layer);
      const changes = changesOf(current, visited.vit);
      const entry: Entry<T> = {
        changes: changes.value,
        value: visited.value,
        aside: [...(visited.aside?.keys() ?? [])],
        seconds: (performance.now() - started) / 1000,
      };
      const tensors = new Map([...changes.tensors, ...(visited.aside ?? [])]);
      passed(entry, await checkpoints.put(entryName(walk, layer), { value: entry, tensors }));
      if (layer + 1 < layers)
        await checkpoints.put(streamName(walk), { value: { layer: layer + 1 }, tensors: stream.states() });
    }
  }
  await checkpoints.drop(streamName(walk));
  return { vit: current, values, aside: new Map(aside) };
}

const streamName = ({ name }: Walk<unknown>): string => `${name}.stream`;
const entryName = ({ name }: Walk<unknown>, layer: number): string => `${name}.${layer}`;

/** What an interrupted walk left: all blocks, or those before the one that the images stand at. */
async function resumed<T>(
  context: StageContext,
  walk: Walk<T>,
  layers: number,
): Promise<{ known: Kept<Entry<T>>[]; stream: BlockStream | undefined }> {
  const { checkpoints } = context;
  const known: Kept<Entry<T>>[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const kept = await checkpoints.take<Entry<T>>(entryName(walk, layer));
    if (kept === undefined) break;
    known.push(kept);
  }
  if (known.length === layers) return { known, stream: undefined };
  const saved = await checkpoints.take<{ layer: number }>(streamName(walk));
  // A block may have been kept and the images behind it not yet: it is visited again.
  if (saved === undefined || saved.value.layer > known.length) return { known: [], stream: undefined };
  return {
    known: known.slice(0, saved.value.layer),
    stream: await restoreStream(context, walk.images, saved.tensors),
  };
}
