import {
  FEWEST_COPIES,
  type BoardDeviation,
  type SiblingBoard,
  type SiblingCell,
  type SiblingGroup,
  type SiblingVerdict,
} from '../../analysis/fleet/siblings.js';
import type { Estimate } from '../../stats/interval.js';
import * as format from '../format.js';
import type { Table } from '../table.js';

const verdictTexts: Readonly<Record<SiblingVerdict, string>> = {
  odd: 'NOT like its siblings',
  alike: 'like its siblings',
  undecided: 'not decided',
};

/**
 * What a board is found to be, in words.
 *
 * @param verdict - of a board
 */
export function siblingVerdictText(verdict: SiblingVerdict): string {
  return verdictTexts[verdict];
}

/**
 * How much of what copies of a board scatter lies between boards, by variant.
 *
 * @param group - of copies
 */
export function spreadTable({ cells, boards }: SiblingGroup): Table {
  const nameOf = namer(cells);
  const notes = [
    'Between and within: standard deviations of latency between boards and within one, with 95 % intervals (modified large-sample, χ²). Share: what part of the variance of one value lies between boards.',
    'Found from: the smallest deviation of one board that would be told from chance.',
  ];
  if (cells.some(({ unit }) => unit === 'round'))
    notes.push(
      'Where a value is a round, within is from round to round of one run: what changes from run to run counts as between boards until every board has two runs.',
    );
  if (boards.length < FEWEST_COPIES)
    notes.push(
      `Of ${boards.length} copies nobody can say which is the odd one: at least ${FEWEST_COPIES} are needed, and from five on several odd ones no longer hide each other.`,
    );
  return {
    columns: [
      { key: 'variant', title: 'variant', align: 'left' },
      { key: 'batch', title: 'batch', align: 'right' },
      { key: 'boards', title: 'boards', align: 'right' },
      { key: 'values', title: 'values', align: 'right', spare: 1 },
      { key: 'between', title: 'between boards %', align: 'right' },
      { key: 'within', title: 'within a board %', align: 'right' },
      { key: 'share', title: 'share between %', align: 'right', spare: 2 },
      { key: 'detectable', title: 'found from', align: 'right', spare: 3 },
    ],
    rows: cells.map((cell) => ({
      ...{ variant: nameOf(cell), batch: String(cell.batch), boards: String(cell.boards.length) },
      values: `${cell.boards.reduce((sum, { values }) => sum + values, 0)} ${cell.unit}s`,
      between: cell.components ? percents(cell.components.between) : format.NONE,
      within: cell.components ? percents(cell.components.within) : format.NONE,
      share: cell.components ? format.share(cell.components.share) : format.NONE,
      detectable: cell.detectable === undefined ? format.NONE : `±${format.percent(cell.detectable)} %`,
    })),
    notes,
  };
}

/**
 * What each of the copies is found to be, with the cell in which it lies furthest out.
 *
 * @param group - of copies
 * @param device - only this one; undefined: all
 * @param threshold - from which share on a deviation matters
 */
export function boardsTable(group: SiblingGroup, device: string | undefined, threshold: number): Table {
  const nameOf = namer(group.cells);
  const shown = group.boards.filter(({ name }) => device === undefined || name === device);
  const rows = shown.flatMap((board) => {
    const all = deviationsOf(board, group.cells);
    // Of one board everything is shown, of many what matters most.
    const wanted = device === undefined ? all.slice(0, 1) : all;
    const rowsOf = wanted.map(({ cell, own }, index) => ({
      board: index === 0 ? board.name : '',
      verdict: siblingVerdictText(device === undefined ? board.verdict : own.verdict),
      variant: `${nameOf(cell)}, batch ${cell.batch}`,
      latency: format.milliseconds(own.latency),
      deviation: deviationText(own.deviation),
      p: own.p === undefined ? format.NONE : format.pValue(own.p),
    }));
    return rowsOf.length > 0 ? rowsOf : [{ board: board.name, verdict: siblingVerdictText(board.verdict) }];
  });
  const limit = `±${format.percent(threshold)} %`;
  return {
    columns: [
      { key: 'board', title: 'board', align: 'left' },
      { key: 'verdict', title: device === undefined ? 'verdict' : 'in this cell', align: 'left' },
      { key: 'variant', title: device === undefined ? 'furthest out in' : 'cell', align: 'left', spare: 1 },
      { key: 'latency', title: 'latency ms', align: 'right', spare: 2 },
      { key: 'deviation', title: 'from the median of the others % (95 %)', align: 'right' },
      { key: 'p', title: 'p (Holm)', align: 'right', spare: 3 },
    ],
    rows,
    notes: [
      `${verdictTexts.odd}: it lies out by at least ${limit} and by more than chance, of all boards and cells together, makes of boards that are alike in one of 20 fleets. ${verdictTexts.alike}: the whole interval lies within ${limit} in every cell. Otherwise: ${verdictTexts.undecided}.`,
      ...shown.flatMap(({ name, emulated }) =>
        emulated ? [`${name} is not the hardware it looks like: its timings are the emulator’s.`] : [],
      ),
      ...shown.flatMap(({ name, verdict, differences }) =>
        verdict === 'odd' && differences.length > 0
          ? [
              `${name} is set up otherwise than most of its siblings: ${differences
                .map((each) => `${each.name} ${each.after || 'none'} instead of ${each.before || 'none'}`)
                .join(', ')}.`,
            ]
          : [],
      ),
    ],
  };
}

function deviationsOf(
  board: SiblingBoard,
  cells: readonly SiblingCell[],
): readonly { readonly cell: SiblingCell; readonly own: BoardDeviation }[] {
  const far = ({ own }: { readonly own: BoardDeviation }): number => Math.abs(Math.log(own.deviation.value));
  return cells
    .flatMap((cell) => {
      const own = cell.boards.find(({ board: name }) => name === board.name);
      return own === undefined ? [] : [{ cell, own }];
    })
    .sort((a, b) => Number(b.own.verdict === 'odd') - Number(a.own.verdict === 'odd') || far(b) - far(a));
}

function namer(cells: readonly SiblingCell[]): (cell: SiblingCell) => string {
  const several = new Set(cells.map(({ model }) => model)).size > 1;
  return ({ model, recipe }) => (several ? `${model} · ${recipe}` : recipe);
}

/** Standard deviations of logarithms, in percent: `1.2 (0.8–2.4)`. */
function percents({ value, low, high }: Estimate): string {
  const [text, ...ends] = [value, low, high].map((each) => format.percent(Math.expm1(each), 2));
  return `${text} (${ends.join('–')})`;
}

/** A ratio as its difference from 1, in percent: `+3.1 (2.2 to 4.0)`. */
function deviationText({ value, low, high }: Estimate): string {
  const signed = (each: number): string => `${each < 1 ? '−' : '+'}${format.percent(Math.abs(each - 1))}`;
  return low === high ? signed(value) : `${signed(value)} (${signed(low)} to ${signed(high)})`;
}
