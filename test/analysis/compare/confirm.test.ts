import { expect, it } from 'vitest';
import { confirmed, needConfirming } from '../../../src/analysis/compare/confirm.js';
import { checkGates, parseGates, type GateResult } from '../../../src/analysis/compare/gates.js';
import { useFolder } from '../../support/folder.js';
import { roundsOf, slower, twoRuns } from './support.js';

const folder = useFolder();
let databases = 0;

/** What a gate says of a run in which something was changed. */
async function gates(sql: string): Promise<GateResult[]> {
  const runs = await twoRuns(folder(`${databases++}.sqlite`), (database) => void database.exec(sql));
  return checkGates(runs.compare(), parseGates('latency:7%'));
}

const broken = (results: readonly GateResult[]): string[] =>
  results
    .filter(({ outcome }) => outcome === 'broken')
    .map(({ subject }) => `${subject?.recipe ?? ''} ${subject?.batch ?? ''}`);

it('a gate stays broken only where measuring again does not refute it', async () => {
  const first = await gates(slower('int8', 8, 1.2) + slower('pruned', 8, 1.2));
  expect(needConfirming(first)).toBe(true);
  expect(broken(first).sort()).toEqual(['int8 8', 'pruned 8']);
  const second = await gates(slower('pruned', 8, 1.2));
  expect(broken(confirmed(first, second))).toEqual(['pruned 8']);
  const refuted = confirmed(first, second).find(({ because }) => because.kind === 'not-confirmed');
  expect([refuted?.subject?.recipe, refuted?.outcome]).toEqual(['int8', 'cannot tell']);
});

it('a gate stays broken where the further run cannot tell: others disturbed it, or it failed', async () => {
  const first = await gates(slower('int8', 8, 1.2));
  const busy = await gates(
    `delete from conditions; insert into conditions select id, 0, 'steady', '{"at":5,"otherLoad":0.8}' from rounds;`,
  );
  expect(broken(confirmed(first, busy))).toEqual(['int8 8']);
  const failed = await gates(
    `update cells set status = 'failed', reason = 'x' where id in (select cell_id from rounds where id in (${roundsOf('int8', 8)}));`,
  );
  expect(broken(confirmed(first, failed))).toContain('int8 8');
});

it('a failed cell is no figure that measuring again may confirm', async () => {
  const failed = await gates(
    `update cells set status = 'failed', reason = 'x' where id in (select cell_id from rounds where id in (${roundsOf('int8', 8)}));`,
  );
  expect(needConfirming(failed)).toBe(false);
  expect(broken(confirmed(failed, await gates('')))).toEqual(['int8 8']);
});
