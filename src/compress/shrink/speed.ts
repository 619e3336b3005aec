import type { ViTConfig } from '../../vit/config.js';
import { multiplications } from '../merge-tokens/schedule.js';

/**
 * What merging takes in a block beside multiplications, as a share of the unpruned model's: a dozen small operators, whose time no
 * multiplication tells, 0.35 of 31 ms in a DINOv2-S in INT8 (docs/pruning.md, "Which tokens are alike").
 */
const MERGING = 0.01;

/**
 * How many times faster a model is than it was, to rank models by: its multiplications, and what merging takes beside them.
 *
 * @param before - the architecture as it was
 * @param after - as it is
 */
export function rankedSpeed(before: ViTConfig, after: ViTConfig): number {
  const all = multiplications(before);
  const merging = (after.merges ?? []).filter((count) => count > 0).length;
  return all / (multiplications(after) + MERGING * all * merging);
}
