import type { Engine } from '../runtime/engine.js';
import type { PixelBytes } from '../vit/byte-patches.js';
import type { ViT } from '../vit/vit.js';
import type { CheckpointStore } from './checkpoints.js';
import type { LossKind } from './loss.js';

/** What training images are for: to calibrate on, or to check a decision on what nothing was calibrated on. */
export type Purpose = 'calibration' | 'check';

/**
 * Preprocessed training images that a stage looks at, in batches of equal size. They are read anew at each pass, so
 * that their number is not bounded by memory. What they are for is part of the type: a check on images that were calibrated on
 * does not compile.
 */
export interface Calibration<P extends Purpose = Purpose> {
  readonly purpose: P;
  /** How many images. */
  readonly count: number;
  /** Images in a batch; divides `count`. */
  readonly batchSize: number;
  /** Which images exactly, and how they were preprocessed. */
  readonly hash: string;
  /** The class of each image. */
  readonly classes: Uint16Array;
  /** The images: `[batchSize, channels, height, width]` each, float32. */
  batches(): AsyncIterable<Float32Array>;
  /**
   * Some of the images, as images of their own.
   *
   * @param positions - which, counted from 0; at least one
   */
  only(positions: readonly number[]): Calibration<P>;
}

/** Where a stage gets its images from: always the training split. */
export interface CalibrationSource {
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** The bytes that the pixels of every image were before they were normalised. */
  readonly bytes: PixelBytes;
  /** Images to calibrate on; the same count gives the same images, and a larger one contains a smaller. */
  images(count: number): Promise<Calibration<'calibration'>>;
  /** Images to check a decision on: never among those of `images`. */
  holdout(count: number): Promise<Calibration<'check'>>;
}

/** The model that a recipe compresses. */
export interface Original {
  readonly vit: ViT;
  /** Whether its classifier is a probe, by which stages judge what they do, and which no variant has in the end. */
  readonly probed: boolean;
  /**
   * Where what was observed of it is left, for all recipes.
   *
   * @param about - what observations depend on besides the model and the training images
   */
  observations(about: object): Promise<CheckpointStore>;
}

/** What every stage is given besides the model and its options. */
export interface StageContext {
  readonly engine: Engine;
  readonly calibration: CalibrationSource;
  /** The model as it was before the recipe's first step. */
  readonly original: Original;
  /** What models are judged by on held-out images: weights from a seed have no accuracy. */
  readonly judgedBy: LossKind;
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
   * Where the stage leaves what it observed of the model it is given. Recipes share it, in later runs, too, that come to the same model
   * by the same steps, whatever else the stage's options are.
   *
   * @param about - what observations depend on besides the model and the training images: which images, options, a version
   */
  observations(about: object): Promise<CheckpointStore>;
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
