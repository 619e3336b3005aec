import type { StoredCell, StoredRun } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';

/** Clocks that start a round and time it are not the same: by so many milliseconds rounds may seem to overlap. */
const TOLERANCE = 50;

/** When a round was measured, in milliseconds since 1970. */
interface Span {
  readonly round: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The devices on which two runs were measured in turn: no two timed rounds overlap, and all rounds of one number, of both runs, were over
 * before one of the next began. Rounds of one number then belong together as those of one run do: what slows the machine down
 * for a while hits both.
 *
 * @param reference - a run
 * @param run - another one
 * @returns names of devices: none for runs that lie apart, all for a run and itself
 */
export function devicesInTurn(reference: StoredRun, run: StoredRun): ReadonlySet<string> {
  const names = run.devices.map(({ row }) => row.name);
  if (reference.row.id === run.row.id) return new Set(names);
  return new Set(
    names.filter((name) => {
      const [theirs, own] = [reference, run].map(({ cells }) => spansOn(cells, name));
      return theirs !== undefined && own !== undefined && areInTurn(theirs, own);
    }),
  );
}

function spansOn(cells: readonly StoredCell[], device: string): Span[] {
  return cells
    .filter(
      ({ device: { row }, row: { kind } }) =>
        row.name === device && kind !== 'accuracy' && kind !== 'kernels',
    )
    .flatMap(({ rounds }) => rounds.map(spanOf));
}

function spanOf({ row: { round, started_at: started, seconds } }: StoredRound): Span {
  const from = Date.parse(started);
  return { round, from, to: from + seconds * 1000 };
}

function areInTurn(theirs: readonly Span[], own: readonly Span[]): boolean {
  // What only one of them has, such as rounds that were added for precision, is compared with nothing.
  const numbers = new Set(theirs.map(({ round }) => round));
  const common = new Set(own.map(({ round }) => round).filter((round) => numbers.has(round)));
  if (common.size < 2) return false;
  const spans = [...theirs, ...own]
    .filter(({ round }) => common.has(round))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  return spans.every((span, index) => {
    const before = spans[index - 1];
    return before === undefined || (before.to <= span.from + TOLERANCE && before.round <= span.round);
  });
}
