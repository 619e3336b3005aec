import type { Recipe } from '../../compress/recipe.js';
import type { Dataset } from '../../data/dataset.js';
import type { Device } from '../../device/device.js';
import type { Engine } from '../../runtime/engine.js';

/** What making an artifact needs. */
export interface BuildContext {
  readonly engine: Engine;
  readonly threads: number;
  readonly train: Dataset<'train'>;
  readonly seed: number;
  /** Measures what a memory budget is about; undefined where nothing can. */
  readonly device: Device | undefined;
  /** Recipes that the same model gets next: what the stages that they begin with have made is kept for them. */
  readonly next?: readonly Recipe[];
  /** Stops the work. */
  readonly signal: AbortSignal;
  /** Told how far the pipeline is, and for how many seconds it will go on where that can be said. */
  readonly onProgress: (done: number, what: string, secondsLeft?: number) => void;
}
