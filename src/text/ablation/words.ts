import type { AblationPanel, FactorEffect } from '../../analysis/ablation/ablation.js';
import type { Replicates } from '../../analysis/ablation/estimator.js';
import type { Term, TermPart } from '../../analysis/ablation/terms.js';
import type { Estimate } from '../../stats/interval.js';
import { metricNames } from '../compare/words.js';
import * as format from '../format.js';

/** What the effect of a factor is called: `prune`, `prune.ratio 0.5 vs 0.25`. */
export function partText({ factor, level, reference }: TermPart): string {
  return level === 'on' && reference === 'off' ? factor : `${factor} ${level} vs ${reference}`;
}

/**
 * What all factors at their first level and at their last are called.
 *
 * @param parts - the last level of each against its first
 */
export function endNames(parts: Term): { readonly first: string; readonly last: string } {
  return parts.every(({ level, reference }) => level === 'on' && reference === 'off')
    ? { first: 'all off', last: 'all on' }
    : { first: 'all at their first level', last: 'all at their last level' };
}

/** The name of a term: `prune × int8` is the interaction of two factors. */
export function termText(term: Term): string {
  return term.map(partText).join(' × ');
}

/** Which figure a panel is of: `latency, batch 8`. */
export function figureName({ metric, batch }: Pick<AblationPanel, 'metric' | 'batch'>): string {
  return batch === undefined ? metricNames[metric] : `${metricNames[metric]}, batch ${batch}`;
}

/** What an interval rests on: `10 rounds`; nothing where nothing is left to chance. */
export function observationsText(replicates: Replicates): string {
  switch (replicates.kind) {
    case 'rounds':
      return counted(replicates.rounds, 'round');
    case 'seeds':
      return counted(replicates.seeds, 'seed');
    case 'images':
      return counted(replicates.images, 'image');
    case 'exact':
      return '';
  }
}

function counted(count: number, what: string): string {
  return `${format.integer(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** An effect with its interval: `0.62× (0.60–0.64)`; of accuracy in percentage points, `−0.31 pt (−0.60 to −0.02)`. */
export function effectText({ metric }: Pick<AblationPanel, 'metric'>, effect: Estimate): string {
  const { value, low, high } = effect;
  const certain = low === high;
  if (metric !== 'accuracy') return certain ? `${format.ratio(value)}×` : format.times(effect);
  return certain ? `${points(value)} pt` : `${points(value)} pt (${points(low)} to ${points(high)})`;
}

/** An effect, and that it was tested and is not significant. */
export function markedEffect(panel: AblationPanel, { effect, significant, adjustedP }: FactorEffect): string {
  return `${effectText(panel, effect)}${significant || adjustedP === undefined ? '' : ' n.s.'}`;
}

/** A difference of shares in percentage points, with its sign. */
function points(share: number): string {
  const size = format.percent(Math.abs(share), 2);
  return `${share < 0 && Number(size) > 0 ? '−' : '+'}${size}`;
}
