import type { Analysis } from '../analysis/analysis.js';
import type { Flag } from '../analysis/figures/validity.js';
import { labelOf } from '../analysis/label.js';
import { groupBy } from '../base/group-by.js';
import { flagText, flagsText, signOf } from './flags.js';
import { joinedByAnd } from './listed.js';

/** What is said of as many cells as this is said once for all of them. */
const SHARED_BY = 3;

/** A cell that was timed, and what speaks against it. */
interface Flagged {
  readonly flags: readonly Flag[];
}

/**
 * What speaks against cells: a note for each, and one for each objection that several share.
 *
 * @param cells - in order; those without flags are left out
 * @param label - of one cell
 * @param together - labels several
 */
export function objectionNotes<Cell extends Flagged>(
  cells: readonly Cell[],
  label: (cell: Cell) => string,
  together: (cells: readonly Cell[]) => string,
): string[] {
  const objections = cells.flatMap((cell) =>
    cell.flags.map((flag) => ({ cell, sign: signOf([flag]), text: flagText(flag) })),
  );
  const shared = [...groupBy(objections, ({ text }) => text)].filter(([, each]) => each.length >= SHARED_BY);
  const saidOnce = new Set(shared.map(([text]) => text));
  const single = cells.flatMap((cell) => {
    const own = cell.flags.filter((flag) => !saidOnce.has(flagText(flag)));
    return own.length === 0 ? [] : [`${signOf(own)} ${label(cell)}: ${flagsText(own)}.`];
  });
  return [
    ...single,
    ...shared.map(
      ([text, each]) => `${each[0]?.sign ?? ''} ${together(each.map(({ cell }) => cell))}: ${text}.`,
    ),
  ];
}

/**
 * What speaks against the latencies of a run.
 *
 * @param analysis - of the run
 */
export function flagNotes(analysis: Analysis): string[] {
  const cells = analysis.figures.flatMap((figures) =>
    figures.latencies.map(({ batch, flags }) => ({ name: labelOf(figures, analysis), batch, flags })),
  );
  return objectionNotes(
    cells,
    ({ name, batch }) => `${name}, batch ${batch}`,
    (several) =>
      [...groupBy(several, ({ name }) => name)]
        .map(([name, own]) => `${name} (batch ${joinedByAnd(own.map(({ batch }) => String(batch)))})`)
        .join(', '),
  );
}
