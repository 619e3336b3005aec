import type { Ablation, AblationPanel } from '../../analysis/ablation/ablation.js';
import type { Replicates } from '../../analysis/ablation/estimator.js';
import type { NoResponse } from '../../analysis/ablation/responses.js';
import type { Design } from '../../base/design.js';
import type { Basis } from '../basis.js';
import { integer } from '../format.js';
import { figureName, termText } from './words.js';

/** Variants that are named one by one. */
const MOST_NAMED = 6;

/**
 * What a reader must know of a table of effects.
 *
 * @param ablation - of a run
 */
export function effectNotes({ design, panels }: Ablation): string[] {
  return [
    `${designText(design)} ${MEANINGS[design.kind]}`,
    "Latency, memory and file size: ratios, 0.50× is half; accuracy: percentage points (pt). n.s.: not significant after Holm's correction over all effects of the run on this figure.",
    ...replicateNotes(panels),
    ...aliasNotes(panels),
    ...missingNotes(panels),
  ];
}

/** What a reader must know of a table that attributes the whole difference. */
export function attributionNotes(): string[] {
  return [
    'Shapley values: what each factor adds, averaged over all orders in which the factors may be added. The factors multiply to the row "all together" (points of accuracy add up to it); the percentage is a share of its logarithm, or of its points.',
  ];
}

/** A design in a sentence. */
function designText({ kind, factors, points, fraction }: Design): string {
  const seeds = factors.find((factor) => factor.kind === 'seed')?.levels.length ?? 1;
  const names = factors.filter((factor) => factor.kind !== 'seed').map(({ name }) => name);
  const variants = new Set(points.map(({ recipe }) => recipe)).size;
  const name = {
    'full-factorial': 'Full factorial',
    'fractional-factorial': 'Fractional factorial',
    'one-at-a-time': 'One factor at a time',
    'leave-one-out': 'Leave one out',
  }[kind];
  const resolution = fraction ? ` of resolution ${ROMAN[fraction.resolution] ?? fraction.resolution}` : '';
  const replicated = seeds > 1 ? `, each with ${seeds} seeds` : '';
  return `${name}${resolution} over ${names.join(', ')}: ${variants} variants${replicated}.`;
}

const ROMAN = ['', 'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X'];

const MEANINGS: Readonly<Record<Design['kind'], string>> = {
  'full-factorial':
    'A main effect is averaged over all levels of the other factors; an interaction (×) is how far the effect of two factors together is from the product (for accuracy, the sum) of their own.',
  'fractional-factorial':
    'A main effect is averaged over levels of the other factors; an interaction (×) is how far the effect of two factors together is from the product (for accuracy, the sum) of their own.',
  'one-at-a-time':
    'An effect is that of the factor alone, all others at their first level; interactions cannot be told.',
  'leave-one-out':
    'An effect is that of the last level against the first while all other factors are at their last; interactions cannot be told.',
};

/**
 * What charts of effects rest on.
 *
 * @param panels - that they show
 */
export function effectBasis(panels: readonly AblationPanel[]): Basis {
  const intervals = [...replicatesOf(panels)].map(([text, figures]) => `of ${figures.join('; ')}: ${text}`);
  return { rounds: true, images: true, ...(intervals.length > 0 && { intervals: intervals.join('; ') }) };
}

function replicateNotes(panels: readonly AblationPanel[]): string[] {
  return [...replicatesOf(panels)].map(([text, figures]) => `Intervals of ${figures.join('; ')}: ${text}.`);
}

/** Which figures have intervals of which kind, in words. */
function replicatesOf(panels: readonly AblationPanel[]): ReadonlyMap<string, readonly string[]> {
  const by = new Map<string, string[]>();
  for (const panel of panels) {
    const text = replicateText(panel.replicates);
    if (text !== undefined) by.set(text, [...new Set([...(by.get(text) ?? []), figureName(panel)])]);
  }
  return by;
}

function replicateText(replicates: Replicates): string | undefined {
  switch (replicates.kind) {
    case 'rounds': {
      if (replicates.rounds < 2) return 'none, as there is one round alone';
      const { rounds, paired } = replicates;
      return paired
        ? `Student's, over ${rounds} rounds in which all variants took their turn`
        : `Welch's, over at least ${rounds} rounds of each variant, as too few rounds have all variants undisturbed`;
    }
    case 'seeds':
      return (
        `Student's, over ${replicates.seeds} seeds` +
        (replicates.images === undefined
          ? ''
          : `; where all seeds agree, over ${integer(replicates.images)} test images`)
      );
    case 'images':
      return `over ${integer(replicates.images)} test images that all variants classified, adjusted as by Agresti and Min (2005)`;
    case 'exact':
      return undefined;
  }
}

function aliasNotes(panels: readonly AblationPanel[]): string[] {
  const lines = panels.flatMap(({ effects }) =>
    effects.flatMap(({ term, aliases }) =>
      aliases.length === 0 ? [] : [`${termText(term)} with ${aliases.map(termText).join(', ')}`],
    ),
  );
  const distinct = [...new Set(lines)];
  return distinct.length === 0
    ? []
    : [`Confounded, as the design has no variants that tell them apart: ${distinct.join('; ')}.`];
}

function missingNotes(panels: readonly AblationPanel[]): string[] {
  return panels.flatMap((panel) => {
    if (panel.missing.length === 0) return [];
    const named = panel.missing
      .slice(0, MOST_NAMED)
      .map(({ recipe, because }) => `${recipe} (${missingText(because)})`);
    const more = panel.missing.length - named.length;
    return [
      `${figureName(panel)} on ${panel.device.row.name}: computed by least squares from the other variants, without ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    ];
  });
}

function missingText(because: NoResponse): string {
  switch (because.kind) {
    case 'not-measured':
      return {
        pending: 'not measured yet',
        failed: 'failed',
        unsupported: 'not supported',
        done: 'not measured',
      }[because.status];
    case 'disturbed':
      return 'disturbed by other processes';
    case 'no-figure':
      return 'no such figure';
  }
}
