import { describe, expect, it } from 'vitest';
import { checkGates, gateName, parseGates } from '../../../src/analysis/compare/gates.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';
import { roundsOf, slower, twoRuns } from './support.js';

const folder = useFolder();
let databases = 0;

/** Outcomes by place, of gates on a comparison after a change. */
async function outcomes(gates: string, sql: string): Promise<Map<string, string>> {
  const runs = await twoRuns(folder(`${databases++}.sqlite`), (database) => void database.exec(sql));
  const parsed = parseGates(gates);
  const results = checkGates(runs.compare({ p90: parsed.some(({ metric }) => metric === 'p90') }), parsed);
  return new Map(
    results.map(({ gate, subject, outcome }) => [
      `${gate.metric} ${subject?.recipe ?? 'nothing'} ${subject?.batch ?? ''}`.trim(),
      outcome,
    ]),
  );
}

describe('gates', () => {
  it('are read as they are written', () => {
    const gates = parseGates('latency:2%, memory:5%,accuracy:0.3pt,file:10%,p90:2.5%');
    expect(gates.map(({ metric }) => metric)).toEqual(['latency', 'memory', 'accuracy', 'file', 'p90']);
    expect(gates.map(({ limit }) => limit)).toEqual([0.02, 0.05, 0.003, 0.1, 0.025]);
    expect(gates.map(gateName)).toEqual([
      'latency:2%',
      'memory:5%',
      'accuracy:0.3pt',
      'file:10%',
      'p90:2.5%',
    ]);
  });

  it.each([
    ['latency:2', 'latency:2'],
    ['latency:2pt', 'latency:2pt'],
    ['accuracy:1%', 'accuracy:1%'],
    ['speed:2%', 'speed:2%'],
    ['latency:-2%', 'latency:-2%'],
    ['latency:2%,', 'an empty gate'],
    ['latency:2%,latency:3%', 'latency twice'],
    ['latency:10001%', 'latency:10001%'],
    [`p90:${'9'.repeat(400)}%`, `p90:${'9'.repeat(400)}%`],
    ['accuracy:101pt', 'accuracy:101pt'],
  ])('%s is refused', async (text, found) => {
    const fault = await refusalOf(() => parseGates(text));
    expect(fault).toMatchObject({ source: '--fail-on', found });
    expect(fault.hint).toContain('latency:2%,memory:5%,accuracy:0.3pt');
  });

  it('hold where a break is excluded, break where it is shown, and cannot tell in between', async () => {
    const found = await outcomes('latency:7%', slower('int8', 8, 1.2) + slower('fp32', 8, 1.065));
    expect(found.get('latency int8 8')).toBe('broken');
    expect(found.get('latency fp32 8')).toBe('cannot tell');
    expect(found.get('latency fp32 1')).toBe('held');
    expect((await outcomes('latency:50%', slower('int8', 8, 1.2))).get('latency int8 8')).toBe('held');
  });

  it('never break for the better', async () => {
    const found = await outcomes(
      'latency:5%,file:1%',
      `${slower('int8', 8, 0.5)}
      update variants set file_bytes = file_bytes / 2 where run_id = 'new';`,
    );
    expect([...found.values()]).not.toContain('broken');
    expect(found.get('file int8')).toBe('held');
  });

  it('break by exactly their size where nothing is left to chance', async () => {
    const sql = `update variants set file_bytes = 1000 where recipe = 'int8';
      update variants set file_bytes = 1100 where run_id = 'new' and recipe = 'int8';`;
    expect((await outcomes('file:10%', sql)).get('file int8')).toBe('broken');
    expect((await outcomes('file:11%', sql)).get('file int8')).toBe('held');
  });

  it('break where a cell failed that the reference has, but not where both failed', async () => {
    const fail = (where: string): string =>
      `update cells set status = 'failed', reason = 'no' where kind = 'performance' and batch = 8 ${where};`;
    const alone = await outcomes('latency:5%,memory:5%', fail("and run_id = 'new'"));
    expect([alone.get('latency int8 8'), alone.get('memory int8 8')]).toEqual(['broken', 'broken']);
    expect((await outcomes('latency:5%', fail(''))).get('latency int8 8')).toBe('not judged');
  });

  it('break when they guard nothing', async () => {
    const found = await outcomes('accuracy:1pt', 'update variants set synthetic = 1;');
    expect(found.get('accuracy nothing')).toBe('broken');
    expect(found.get('accuracy int8')).toBe('not judged');
  });

  it('on accuracy break by points of the same images', async () => {
    const flip = (images: number): string =>
      `update predictions set predicted = (label + 1) % 10 where predicted = label and image < ${images}
        and round_id in (${roundsOf('fp32', 64, 'accuracy')});`;
    expect((await outcomes('accuracy:0.3pt', flip(30))).get('accuracy fp32')).toBe('broken');
    expect((await outcomes('accuracy:0.3pt', flip(2))).get('accuracy fp32')).toBe('cannot tell');
    expect((await outcomes('accuracy:0.3pt', '')).get('accuracy fp32')).toBe('held');
  });
});
