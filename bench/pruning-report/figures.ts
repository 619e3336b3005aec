import type { Estimate } from '../../src/stats/interval.js';
import type { StreamApart } from '../pruning-bench.js';
import type { Variant } from './variants.js';

/** What narrowing a block alone to half of its neurons does. */
export interface AloneFigures {
  readonly block: number;
  /** Predicted: squared error that is added to the residual stream. */
  readonly squared: number;
  /** Predicted: the same, relative to the stream. */
  readonly relative: number;
  /** Found: mean squared error of the logits, as a share of their variance. */
  readonly logits: number;
}

/** What a way to prune comes to on test images. */
export interface VariantFigures extends Pick<Variant, 'question' | 'name' | 'widths'> {
  readonly right: number;
  /** Percentage points lost against the whole model, with their 95 % interval. */
  readonly points: Estimate;
  /** Share of images that get another class. */
  readonly changed: number;
  /** Mean squared error of the logits, as a share of their variance. */
  readonly logits: number;
  /** By block, behind it. */
  readonly apart?: readonly StreamApart[];
}

/** Test images of which the whole model is about as sure. */
export interface CertaintyFigures {
  /** The way to prune. */
  readonly name: string;
  /** 1 for those that it is least sure of. */
  readonly group: number;
  readonly images: number;
  readonly changed: number;
  readonly lost: number;
  readonly won: number;
  /** The largest distance of the two largest logits among them. */
  readonly margin: number;
  readonly points: number;
}

/** All that the report shows. */
export interface Figures {
  readonly model: string;
  readonly ratio: number;
  readonly calibratedOn: number;
  /** Test images, and how many of them the whole model gets right. */
  readonly images: number;
  readonly right: number;
  readonly machine: string;
  readonly date: string;
  /** The ridge that pruning adds by itself, as a share of the mean variance of the neurons; mean over the blocks. */
  readonly ridge: number;
  readonly alone: readonly AloneFigures[];
  readonly variants: readonly VariantFigures[];
  readonly certainty: readonly CertaintyFigures[];
}
