import type { Loss } from '../compress/loss.js';

/**
 * Predicts losses before anything is measured together: images that change their class add up over the stages, and of those that
 * change a share costs accuracy.
 */
export class LossModel {
  private readonly single: Loss[] = [];
  private readonly together: { readonly sum: number; readonly loss: Loss }[] = [];

  /** Takes what one stage alone loses. */
  addSingle(loss: Loss): void {
    this.single.push(loss);
  }

  /**
   * Takes what several stages lose together.
   *
   * @param sum - shares of changed images of each alone, added up
   * @param loss - what was measured of all
   */
  addTogether(sum: number, loss: Loss): void {
    this.together.push({ sum, loss });
  }

  /** Percentage points lost for each image in a hundred that changes. */
  get cost(): number {
    const all = [...this.single, ...this.together.map(({ loss }) => loss)];
    const changed = all.reduce((total, loss) => total + 100 * loss.changed * loss.images, 0);
    const points = all.reduce((total, loss) => total + loss.points.value * loss.images, 0);
    // Never nothing, or what changes much would look as good as what changes little.
    return changed === 0 ? LEAST_COST : Math.max(LEAST_COST, points / changed);
  }

  /** How many images change of those that the stages alone add up to. */
  get overlap(): number {
    const sum = this.together.reduce((total, each) => total + each.sum, 0);
    const changed = this.together.reduce((total, { loss }) => total + loss.changed, 0);
    return sum === 0 ? 1 : changed / sum;
  }

  /**
   * Percentage points that stages will lose together.
   *
   * @param sum - shares of changed images of each alone, added up
   */
  predict(sum: number): number {
    return 100 * Math.min(1, sum * this.overlap) * this.cost;
  }
}

const LEAST_COST = 0.02;
