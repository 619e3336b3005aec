import type { Disturbance } from '../../protocol/disturbance.js';
import type { MemoryMeans } from '../../protocol/memory-means.js';
import type { CellFailure } from '../../protocol/failure.js';

/** Why something could not be compared. */
export type Obstacle =
  | { readonly kind: 'not-in-reference' }
  | { readonly kind: 'not-in-new-run' }
  | { readonly kind: 'pending'; readonly run: 'reference' | 'new' }
  | {
      readonly kind: 'failed' | 'unsupported';
      readonly run: 'reference' | 'new';
      readonly failure: CellFailure;
    }
  /** Of the peak memory. */
  | { readonly kind: 'no-memory' | 'peak-below-base' }
  /** The peaks are known by different means, of each run those of all rounds. */
  | {
      readonly kind: 'other-memory-means';
      readonly reference: readonly MemoryMeans[];
      readonly new: readonly MemoryMeans[];
    }
  /** Of the accuracy. */
  | { readonly kind: 'no-accuracy' | 'no-predictions' | 'other-images' }
  /** Of the accuracy and of cosines: one has a head and the other none, or neighbours vote in another way. */
  | { readonly kind: 'other-scoring' }
  /** Of cosines: they are with fp32 already, of each run its own. */
  | { readonly kind: 'no-cosines' }
  /** Of the latency: others disturbed most rounds, of the cell or of the fp32 that it is relative to. */
  | { readonly kind: 'disturbed'; readonly run: 'reference' | 'new'; readonly by: Disturbance }
  /**
   * Of the highest rate: in some rounds no rate held the bound, in milliseconds, of the p99; the model alone took longer than it, or the
   * search did not come so far.
   */
  | {
      readonly kind: 'bound-not-met' | 'no-rate-found';
      readonly run: 'reference' | 'new';
      readonly bound: number;
      readonly missed: number;
      readonly rounds: number;
    }
  /** Too few rounds to tell chance from change. */
  | { readonly kind: 'one-round' | 'no-common-rounds' };
