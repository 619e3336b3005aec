import type { ViT } from '../../vit/vit.js';
import type { CheckpointStore } from '../checkpoints.js';
import type { Calibration, StageContext } from '../context.js';
import { joined } from './joined.js';
import { openModel, type OpenedModel } from './opened.js';

/** Images that run, and of which results are kept, at a time. */
export const PART = 256;

/**
 * What a model gives for images, part by part: however many there are, few are in memory at a time, and interrupted work goes on behind the
 * last part that was kept.
 *
 * @param context - runtime and threads
 * @param make - the model; not called where all parts were kept
 * @param images - the images
 * @param kept - where parts are kept, and under which name
 * @param onProgress - told of how many images are done, before each part
 * @returns `[images, classes]`, or `[images, width of the features]` for a model without a head
 */
export async function outputsInParts(
  context: StageContext,
  make: () => Promise<ViT>,
  images: Calibration,
  kept: { readonly store: CheckpointStore; readonly name: string },
  onProgress: (done: number) => void,
): Promise<Float32Array> {
  const model = openedWhenAsked(async () => openModel(context, await make()));
  const parts: Float32Array[] = [];
  try {
    for (let first = 0; first < images.count; first += PART) {
      onProgress(first);
      const length = Math.min(PART, images.count - first);
      const positions = Array.from({ length }, (_, at) => first + at);
      parts.push(
        await remembered(context, kept.store, `${kept.name}.${first}`, async () =>
          (await model.open()).outputs(images.only(positions)),
        ),
      );
    }
  } finally {
    await model.close();
  }
  return joined(parts);
}

/** A model that is opened when it is asked for, if it is. */
function openedWhenAsked(make: () => Promise<OpenedModel>): {
  open(): Promise<OpenedModel>;
  close(): Promise<void>;
} {
  let opened: OpenedModel | undefined;
  return {
    open: async () => (opened ??= await make()),
    close: async () => opened?.close(),
  };
}

/** Outputs that were kept, or are computed now and kept. */
async function remembered(
  context: StageContext,
  store: CheckpointStore,
  name: string,
  compute: () => Promise<Float32Array>,
): Promise<Float32Array> {
  const kept = await store.take<{ logits: Float32Array; seconds: number }>(name);
  if (kept !== undefined) {
    context.workedBefore(kept.value.seconds);
    return kept.value.logits;
  }
  const started = performance.now();
  const logits = await compute();
  const value = { logits, seconds: (performance.now() - started) / 1000 };
  await store.put(name, { value, tensors: new Map() });
  return logits;
}
