import type { Engine } from '../runtime/engine.js';
import type { ViT } from '../vit/vit.js';
import type { CheckpointStore } from './checkpoints.js';

/**
 * Preprocessed training images that a stage looks at, in batches of equal size. They are read anew at each pass, so
 * that their number is not bounded by memory.
 */
export interface Calibration {
  /** How many images. */
  readonly count: number;
  /** Images in a batch; divides `count`. */
  readonly batchSize: number;
  /** Which images exactly, and how they were preprocessed. */
  readonly hash: string;
  /** The class of each image. */
  readonly classes: Uint8Array;
  /** The images: `[batchSize, channels, size, size]` each, float32. */
  batches(): AsyncIterable<Float32Array>;
}

/** Where a stage gets its images from: always the training split. */
export interface CalibrationSource {
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** Images to calibrate on; the same count gives the same images, and a larger one contains a smaller. */
  images(count: number): Promise<Calibration>;
  /** Images to check a decision on: never among those of `images`. */
  holdout(count: number): Promise<Calibration>;
}

/** What every stage is given besides the model and its options. */
export interface StageContext {
  readonly engine: Engine;
  readonly calibration: CalibrationSource;
  /** Threads for the runtime's operators. */
  readonly threads: number;
  /** Determines everything that is sampled. */
  readonly seed: number;
  /**
   * The shapes that the steps behind this one will leave of a model, with stand-ins for weights.
   *
   * @param vit - the model as this stage would leave it
   */
  finished(vit: ViT): ViT;
  /** Images that the finished model runs at once; undefined runs the whole batch. */
  readonly microBatch: number | undefined;
  /**
   * Measures the peak memory of a model over the runtime's base, in bytes, on the device the recipe is for; undefined where
   * nothing can measure.
   */
  readonly measurePeak: ((vit: ViT, batch: number) => Promise<number>) | undefined;
  /** Where the stage leaves what it has made so far, and finds what it had made when it was interrupted. */
  readonly checkpoints: CheckpointStore;
  /**
   * Told of work that was found among the checkpoints.
   *
   * @param seconds - how long it took when it was done
   */
  workedBefore(seconds: number): void;
  /**
   * Told how far the stage is.
   *
   * @param done - from 0 to 1
   * @param what - what is being worked on, such as `layer 3 of 12`
   */
  onProgress(done: number, what: string): void;
  /** Throws when the user asked to stop. */
  throwIfStopped(): void;
}
