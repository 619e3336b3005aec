import { InputError } from '../../base/errors.js';
import { canonicalJson } from '../../base/hash.js';
import type { CellRow, RoundRow, RunRow } from '../tables.js';
import { takeoversOf } from '../takeover.js';
import { NOTHING_MADE } from '../write.js';
import { lastingText, type CellImage, type RunImage } from './image.js';

/**
 * What two stores know of a run together. It does not matter which of them is asked first, nor how often: what one has measured
 * beyond the other is added, and a cell that failed gives way to the one that was measured again.
 *
 * @param a - as one store has the run
 * @param b - as the other has it
 * @returns rows of either, with the ids that they have there
 * @throws InputError that names the cell, when both have measured the same and got something different
 */
export function merged(a: RunImage, b: RunImage): RunImage {
  const cells = joined(a.cells, b.cells, (one, other, key) => mergedCell(a.row, key, one, other));
  const devices = joined(a.devices, b.devices, (one, other, name) => {
    if (lastingText(one) === lastingText(other)) return one;
    // The same device, in whose place others have gone on since.
    if (lastingText(one, 'takeovers_json') === lastingText(other, 'takeovers_json'))
      return takeoversOf(one.takeovers_json).length >= takeoversOf(other.takeovers_json).length ? one : other;
    const [inA, inB] = [a, b].map((image) => hasRounds(image, name));
    if (inA && inB) throw parted(a.row, `device ${name}`);
    if (inA || inB) return inA ? one : other;
    return larger(one, other);
  });
  const variants = joined(a.variants, b.variants, (one, other, key) => {
    if (lastingText(one) === lastingText(other)) return one;
    if (one.artifact === NOTHING_MADE) return other;
    if (other.artifact === NOTHING_MADE) return one;
    throw parted(a.row, `variant ${namesIn(key)}`);
  });
  if (lastingText(a.row, 'ended_at') !== lastingText(b.row, 'ended_at'))
    throw parted(a.row, 'its plan or its data');
  const isOpenElsewhere = a.isOpenElsewhere || b.isOpenElsewhere;
  return {
    isOpenElsewhere,
    row: { ...a.row, ended_at: isOpenElsewhere ? null : endOf(a.row, b.row, [...cells.values()]) },
    ...{ devices, variants, cells },
    floors: joined(a.floors, b.floors, larger),
  };
}

/** Entries of both maps, those of both merged, in the order of the first and then of the second. */
function joined<Value>(
  a: ReadonlyMap<string, Value>,
  b: ReadonlyMap<string, Value>,
  merge: (one: Value, other: Value, key: string) => Value,
): Map<string, Value> {
  const all = new Map(a);
  for (const [key, other] of b) {
    const one = all.get(key);
    all.set(key, one === undefined ? other : merge(one, other, key));
  }
  return all;
}

function mergedCell(run: RunRow, key: string, a: CellImage, b: CellImage): CellImage {
  const conflicts = [...a.rounds].flatMap(([number, one]) => {
    const other = b.rounds.get(number);
    return other === undefined || lastingText(one) === lastingText(other) ? [] : [{ one, other }];
  });
  if (conflicts.length > 0) {
    // A cell that failed, or that had not ended, is measured anew from its first round, after all that it had.
    const [ones, others] = [conflicts.map(({ one }) => one), conflicts.map(({ other }) => other)];
    if (isLater(ones, others) && !isOver(b)) return a;
    if (isLater(others, ones) && !isOver(a)) return b;
    throw parted(run, `cell ${namesIn(key)}`);
  }
  const rounds = new Map([...a.rounds, ...b.rounds].sort(([one], [other]) => one - other));
  return { ...a, rounds, row: further(a, b).row };
}

/** The one that is known more of. */
function further(a: CellImage, b: CellImage): CellImage {
  const [one, other] = [rankOf(a), rankOf(b)];
  const at = one.findIndex((rank, index) => rank !== other[index]);
  if (at < 0) return lastingText(a.row) >= lastingText(b.row) ? a : b;
  return (one[at] ?? 0) > (other[at] ?? 0) ? a : b;
}

const statusRanks: Readonly<Record<CellRow['status'], number>> = {
  ...{ pending: 0, failed: 1, unsupported: 2, done: 3 },
};

function rankOf({ row, rounds }: CellImage): readonly number[] {
  return [rounds.size, row.rounds, statusRanks[row.status]];
}

/** A run has ended when none of its cells is left, and one of the stores knows when. */
function endOf(a: RunRow, b: RunRow, cells: readonly CellImage[]): string | null {
  if (cells.some(({ row }) => row.status === 'pending')) return null;
  const ends = [a.ended_at, b.ended_at].filter((end) => end !== null).sort();
  return ends.at(-1) ?? null;
}

function hasRounds({ cells }: RunImage, device: string): boolean {
  return [...cells.values()].some((cell) => cell.device === device && cell.rounds.size > 0);
}

function isOver({ row }: CellImage): boolean {
  return row.status === 'done' || row.status === 'unsupported';
}

/** Whether each of some rounds began after all others. */
function isLater(rounds: readonly RoundRow[], others: readonly RoundRow[]): boolean {
  const [starts, before] = [rounds, others].map((each) =>
    each.map(({ started_at }) => Date.parse(started_at)),
  );
  return Math.min(...(starts ?? [])) > Math.max(...(before ?? []));
}

function larger<Row extends object>(one: Row, other: Row): Row {
  return lastingText(one) >= lastingText(other) ? one : other;
}

/** What a key is made of, as words. */
function namesIn(key: string): string {
  const flat = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.flatMap(flat)
      : typeof value === 'string' && value.startsWith('[')
        ? flat(JSON.parse(value))
        : [typeof value === 'string' ? value : canonicalJson(value)];
  return flat(JSON.parse(key)).join(' / ');
}

function parted(run: RunRow, what: string): InputError {
  return new InputError({
    source: `run ${run.id}`,
    place: what,
    found: 'that both stores have it, and each has something else there',
    expected: 'one store that has what the other has, and more',
    hint: 'The run was continued in two places. Nothing was changed; keep one of them, and delete the other with "edgeflex runs prune".',
  });
}
