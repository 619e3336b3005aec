import type { Disturbance } from '../../protocol/disturbance.js';
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
  /** Of the accuracy. */
  | { readonly kind: 'no-accuracy' | 'no-predictions' | 'other-images' }
  /** Of the latency: others disturbed most rounds, of the cell or of the fp32 that it is relative to. */
  | { readonly kind: 'disturbed'; readonly run: 'reference' | 'new'; readonly by: Disturbance }
  /** Too few rounds to tell chance from change. */
  | { readonly kind: 'one-round' | 'no-common-rounds' };
