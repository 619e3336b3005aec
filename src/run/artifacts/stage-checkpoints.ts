import type { OpenEntry } from '../../cache/entry.js';
import type { CacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';
import { noCheckpoints, type CheckpointStore } from '../../compress/checkpoints.js';
import { checkpointsIn } from './checkpoint-files.js';

/** The checkpoints of a recipe's stages. */
export interface StageCheckpoints {
  /** Those of a stage; a store that keeps nothing while another process works on the same stage. */
  ofStage(index: number): Promise<CheckpointStore>;
  /** Those of a key that stays when the recipe is done; a store that keeps nothing while another process has it. */
  of(key: CacheKey, title: string): Promise<CheckpointStore>;
  /** Lets others use them. */
  release(): void;
}

/**
 * Opens the checkpoints of a recipe's stages in the cache.
 *
 * @param stages - one for each stage: the key of everything that the model behind the stage is made from
 */
export function openCheckpoints(
  stages: readonly { readonly key: CacheKey; readonly title: string }[],
): StageCheckpoints {
  const opened: OpenEntry[] = [];
  const open = async (key: CacheKey, title: string): Promise<CheckpointStore> => {
    const entry = await cache().open(key, title);
    if (entry === undefined) return noCheckpoints;
    opened.push(entry);
    await cache().keepWithinLimit();
    return checkpointsIn(entry);
  };
  return {
    of: open,
    async ofStage(index) {
      const stage = stages[index];
      if (stage === undefined) throw new RangeError(`the recipe has no stage ${index}`);
      return open(stage.key, stage.title);
    },
    release() {
      for (const entry of opened) entry.release();
    },
  };
}

/**
 * Removes what stages left in the cache, but for those that another process works on.
 *
 * @param keys - of the stages
 */
export async function dropCheckpoints(keys: readonly CacheKey[]): Promise<void> {
  for (const key of keys) await cache().remove(key);
}
