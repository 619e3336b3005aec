import type { Fact, FactUnit, FactValue } from '../compress/facts.js';
import * as format from './format.js';
import type { StageSummary } from '../analysis/stages.js';

/**
 * What a stage did, on one line without markup.
 *
 * @param stage - of a recipe that was applied
 */
export function stageLine({ facts }: StageSummary): string {
  return (facts?.headline ?? []).map(factText).join(', ');
}

/** A fact in words: `MLP neurons left: 1,024 of 2,048`. */
function factText(fact: Fact): string {
  return `${fact.label}: ${factFigure(fact)}`;
}

/** What a fact says, without its label: `1,024 of 2,048`, `0.2 pt (0 pt to 0.5 pt)`. */
export function factFigure({ value, unit, of, interval }: Fact): string {
  const figure = valueText(value, unit) + (of === undefined ? '' : ` of ${valueText(of, unit)}`);
  return interval === undefined
    ? figure
    : `${figure} (${valueText(interval.low, unit)} to ${valueText(interval.high, unit)})`;
}

/**
 * A figure as its unit has it.
 *
 * @param value - null is written as a dash
 * @param unit - what it counts or measures
 */
export function valueText(value: FactValue, unit: FactUnit): string {
  if (value === null) return format.NONE;
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return value.join(', ');
  switch (unit) {
    case 'count':
      return format.integer(value);
    case 'number':
    case 'name':
      return format.significant(value);
    case 'share':
      return `${format.significant(value * 100)} %`;
    case 'times':
      return `${format.ratio(value)}×`;
    case 'bytes':
      return format.mebibytes(value);
    case 'points':
      return `${format.significant(value, 2).replace('-', '−')} pt`;
    case 'decibels':
      return `${value.toFixed(1)} dB`;
  }
}
