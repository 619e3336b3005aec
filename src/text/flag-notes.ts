import type { Analysis } from '../analysis/analysis.js';
import { labelOf } from '../analysis/label.js';
import { groupBy } from '../base/group-by.js';
import { flagText, flagsText, signOf } from './flags.js';
import { joinedByAnd } from './listed.js';

/** What is said of as many cells as this is said once for all of them. */
const SHARED_BY = 3;

/**
 * What speaks against the latencies of a run: a note for each cell, and one for each objection that several cells share.
 *
 * @param analysis - of the run
 */
export function flagNotes(analysis: Analysis): string[] {
  const cells = analysis.figures.flatMap((figures) =>
    figures.latencies.map(({ batch, flags }) => ({ name: labelOf(figures, analysis), batch, flags })),
  );
  const objections = cells.flatMap(({ flags, ...cell }) =>
    flags.map((flag) => ({ ...cell, sign: signOf([flag]), text: flagText(flag) })),
  );
  const shared = [...groupBy(objections, ({ text }) => text)].filter(([, each]) => each.length >= SHARED_BY);
  const saidOnce = new Set(shared.map(([text]) => text));
  const single = cells.flatMap(({ name, batch, flags }) => {
    const own = flags.filter((flag) => !saidOnce.has(flagText(flag)));
    return own.length === 0 ? [] : [`${signOf(own)} ${name}, batch ${batch}: ${flagsText(own)}.`];
  });
  return [
    ...single,
    ...shared.map(([text, each]) => {
      const names = [...groupBy(each, ({ name }) => name)].map(
        ([name, own]) => `${name} (batch ${joinedByAnd(own.map(({ batch }) => String(batch)))})`,
      );
      return `${each[0]?.sign ?? ''} ${names.join(', ')}: ${text}.`;
    }),
  ];
}
