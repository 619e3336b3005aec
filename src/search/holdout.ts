import { defined } from '../base/defined.js';
import type { Calibration } from '../compress/context.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import { exactHere } from '../run/exact-products.js';
import { defaultSessionOptions, type Engine } from '../runtime/engine.js';
import type { ViTConfig } from '../vit/config.js';

/** What running a model needs of its artifact. */
type RunArtifact = Pick<Artifact, 'model' | 'kernels' | 'stages' | 'raw'>;

/** Training images that nothing is calibrated on, preprocessed once: what recipes are judged by. */
export interface Holdout {
  /** How many there are. */
  readonly count: number;
  readonly classes: Uint16Array;
  /**
   * What a model makes of the first images.
   *
   * @param artifact - the model
   * @param config - its architecture
   * @param images - how many at least, as whole batches
   * @returns `[images, classes]`
   */
  logits(artifact: RunArtifact, config: ViTConfig, images: number): Promise<Float32Array>;
}

/**
 * Opens held-out training images.
 *
 * @param engine - the runtime
 * @param threads - for the runtime
 * @param images - the images
 * @param checkpoint - called between batches; throws to stop
 */
export async function openHoldout(
  engine: Engine,
  threads: number,
  images: Calibration,
  throwIfStopped: () => void,
): Promise<Holdout> {
  const { count, classes, batchSize } = images;
  const batches: Float32Array[] = [];
  for await (const pixels of images.batches()) {
    throwIfStopped();
    batches.push(pixels);
  }
  return {
    count,
    classes,
    async logits(artifact, { channels, imageSize, labels }, wanted) {
      const session = await engine.open(artifact.model, {
        ...defaultSessionOptions,
        threads,
        // Recipes are judged by what they lose, not by what this processor's kernels lose.
        ...exactHere(artifact),
      });
      const input = defined(session.inputNames[0], 'the input of a model');
      const output = defined(session.outputNames[0], 'the output of a model');
      const some = batches.slice(0, Math.ceil(wanted / batchSize));
      const size = batchSize * labels.length;
      const all = new Float32Array(some.length * size);
      try {
        for (const [index, pixels] of some.entries()) {
          throwIfStopped();
          const dims = [batchSize, channels, imageSize.height, imageSize.width];
          const outputs = await session.run({ [input]: engine.tensor('float32', pixels, dims) });
          all.set(defined(outputs[output], output).data as Float32Array, index * size);
        }
      } finally {
        await session.close();
      }
      return all;
    },
  };
}
