import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import type { CellRow, RoundRow, RunRow } from '../../src/store/tables.js';
import { lastingImage, type CellImage, type RunImage } from '../../src/store/transfer/image.js';
import { merged } from '../../src/store/transfer/merge.js';

const run = { id: 'one', uid: 'u', suite: 'tiny', ended_at: null } as RunRow;

/** A cell of batch size 1, 2 …, with rounds that were measured at these hours. */
function cellImage(
  batch: number,
  status: CellRow['status'],
  hours: readonly number[],
  id: number,
): CellImage {
  const rounds = hours.map((hour, round): [number, RoundRow] => [
    round,
    { id: id + round, cell_id: id, round, started_at: `2026-11-22T${10 + hour}:00:00.000Z` } as RoundRow,
  ]);
  const row = { id, run_id: 'one', kind: 'performance', batch, rounds: 3, status, reason: null } as CellRow;
  return { row, device: 'here', variant: '["m","fp32"]', rounds: new Map(rounds) };
}

const cells = fc.array(
  fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom<CellRow['status'][]>('pending', 'failed', 'done', 'unsupported'),
    hours: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }),
    id: fc.integer({ min: 1, max: 99 }),
  }),
  { maxLength: 4 },
);

const image = fc
  .record({ cells, ended: fc.constantFrom(null, '2026-11-22T20:00:00.000Z', '2026-11-22T21:00:00.000Z') })
  .map(({ cells: all, ended }): RunImage => {
    const images = all.map(({ batch, status, hours, id }): [string, CellImage] => [
      String(batch),
      cellImage(batch, status, hours, id),
    ]);
    return {
      row: { ...run, ended_at: ended },
      ...{
        isOpenElsewhere: false,
        devices: new Map(),
        variants: new Map(),
        floors: new Map(),
        cells: new Map(images),
      },
    };
  });

/** What two stores know together, or that they have parted. */
function joined(a: RunImage, b: RunImage): RunImage | undefined {
  try {
    return merged(a, b);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

const text = (each: RunImage | undefined): string => (each === undefined ? 'parted' : lastingImage(each));

it('what two stores know of a run does not depend on which is asked first', () => {
  fc.assert(
    fc.property(image, image, (a, b) => {
      expect(text(joined(a, b))).toBe(text(joined(b, a)));
    }),
  );
});

it('what both know together has nothing to learn from either', () => {
  fc.assert(
    fc.property(image, image, (a, b) => {
      const both = joined(a, b);
      if (both === undefined) return;
      expect([text(joined(a, both)), text(joined(both, b))]).toEqual([text(both), text(both)]);
    }),
  );
});

it('nothing that is done is lost, and nothing is done that neither had done', () => {
  fc.assert(
    fc.property(image, image, (a, b) => {
      const both = joined(a, b);
      if (both === undefined) return;
      for (const [key, { row, rounds }] of both.cells) {
        const sides = [a, b].flatMap((each) => each.cells.get(key) ?? []);
        if (row.status === 'done') expect(sides.some((side) => side.row.status === 'done')).toBe(true);
        // A done cell stays, with all of its rounds.
        for (const side of sides.filter((each) => each.row.status === 'done'))
          for (const [number, { started_at }] of side.rounds)
            expect(rounds.get(number)?.started_at).toBe(started_at);
      }
    }),
  );
});
