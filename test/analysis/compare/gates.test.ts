import { describe, expect, it } from 'vitest';
import { gateName } from '../../../src/base/gate.js';
import { checkGates, parseGates } from '../../../src/analysis/compare/gates.js';
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

  it('are for all variants but those that have one of their own', async () => {
    const change = slower('int8', 8, 1.2) + slower('pruned', 8, 1.2);
    const found = await outcomes('latency:7%,latency@int8:50%', change);
    expect([found.get('latency int8 8'), found.get('latency pruned 8')]).toEqual(['held', 'broken']);
    expect([...(await outcomes('latency@int8:50%', change)).keys()].sort()).toEqual([
      'latency int8 1',
      'latency int8 8',
    ]);
    expect(gateName(parseGates('accuracy@int8:0.3pt')[0]!)).toBe('accuracy@int8:0.3pt');
    expect(parseGates('cosine@int8:0.001')).toEqual([{ metric: 'cosine', variant: 'int8', limit: 0.001 }]);
    expect(gateName(parseGates('cosine:0.001')[0]!)).toBe('cosine:0.001');
  });

  it('hold on a machine that is twice as slow for all, and see a variant that is slower than that', async () => {
    const all = ['fp32', 'int8', 'pruned'].flatMap((recipe) =>
      [1, 8].map((batch) => slower(recipe, batch, 2)),
    );
    const alike = await outcomes('latency:2%,p90:20%', all.join(''));
    expect(new Set(alike.values())).toEqual(new Set(['held', 'cannot tell', 'not judged']));
    expect(alike.get('latency fp32 8')).toBe('not judged');
    const one = await outcomes('latency:2%', all.join('') + slower('int8', 8, 1.1));
    expect(one.get('latency int8 8')).toBe('broken');
    expect(one.get('latency pruned 8')).not.toBe('broken');
  });

  it('break nowhere that others disturbed, and do not look as if they guarded nothing', async () => {
    const busy = `delete from conditions; insert into conditions select id, 0, 'steady', '{"at":5,"otherLoad":0.8}' from rounds;`;
    const found = await outcomes('latency:2%', slower('int8', 8, 3) + busy);
    expect(new Set(found.values())).toEqual(new Set(['cannot tell']));
    const one = busy.replace('from rounds;', `from rounds where id in (${roundsOf('fp32', 8)});`);
    const some = await outcomes('latency:2%', slower('int8', 8, 3) + slower('pruned', 1, 3) + one);
    // What it is relative to was disturbed.
    expect(some.get('latency int8 8')).toBe('cannot tell');
    expect(some.get('latency pruned 1')).toBe('broken');
  });

  it.each([
    ['latency@:2%', 'latency@:2%'],
    ['latency@int8:2%,latency@int8:3%', 'latency@int8 twice'],
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
    const found = await outcomes('latency:7%', slower('int8', 8, 1.2) + slower('pruned', 8, 1.065));
    expect(found.get('latency int8 8')).toBe('broken');
    expect(found.get('latency pruned 8')).toBe('cannot tell');
    expect(found.get('latency pruned 1')).toBe('held');
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
