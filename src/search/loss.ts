import { lossEstimate, type JudgedLoss } from './judged-loss.js';

/**
 * Predicts losses before anything is measured together: what stages lose alone is added up, and how much of that they lose together is
 * learned. That expected losses add up is no accident: independent errors of the logits add up in their squares, and the expected
 * loss grows roughly with the square of the error, since the larger the error, the more images change class, and the surer the model was of them.
 */
export class LossModel {
  private alone = 0;
  private together = 0;

  /**
   * Takes what several stages lose together.
   *
   * @param sum - percentage points that each loses alone, added up
   * @param loss - what was measured of all
   */
  addTogether(sum: number, loss: JudgedLoss): void {
    this.alone += sum;
    this.together += lossEstimate(loss).value;
  }

  /**
   * Percentage points that stages will lose together.
   *
   * @param sum - percentage points that each loses alone, added up
   */
  predict(sum: number): number {
    return Math.min(100, this.alone === 0 ? sum : (sum * this.together) / this.alone);
  }
}
