import { describe, expect, it } from 'vitest';
import { analyse, judgementOf as withinRun } from '../../../src/analysis/analysis.js';
import { comparisonTable } from '../../../src/text/compare/table.js';
import type { Judgement } from '../../../src/analysis/compare/judge.js';
import { inWords } from '../../../src/text/compare/words.js';
import { floorEnvironment, type StoredFloor } from '../../../src/store/floors.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';
import { figuresOf, storedExample } from '../support/stored.js';
import { judgementOf, roundsOf, slower, twoRuns, type TwoRuns } from './support.js';

const folder = useFolder();
const two = (
  ...args: Parameters<typeof twoRuns> extends [string, ...infer Rest] ? Rest : never
): Promise<TwoRuns> => twoRuns(folder('two.sqlite'), ...args);

/** A floor of the run's device as it was, with the same noise in everything. */
function floorFor({ run }: TwoRuns, deviation: number, changes: Partial<StoredFloor> = {}): StoredFloor {
  const device = run.devices[0]!;
  return {
    ...{
      device: device.row.name,
      environment: floorEnvironment(device, run.cells)!,
      batch: 8,
      metric: 'latency',
    },
    ...{ runId: 'new', measuredAt: '2026-11-22T00:00:00.000Z' },
    noise: { pair: deviation, round: deviation, block: 0, blocks: 4, rounds: 20 },
    ...changes,
  };
}

describe('two runs', () => {
  it('that are the same differ in nothing', async () => {
    const { compared, uncompared, forced } = (await two()).compare();
    // Three variants: latency and memory at two batch sizes, accuracy, file size.
    expect(compared).toHaveLength(3 * (2 * 2 + 1 + 1));
    expect(compared.filter(({ judgement }) => judgement.verdict !== 'not distinguishable')).toEqual([]);
    expect(compared.every(({ judgement }) => judgement.change.value === 0)).toBe(true);
    expect([uncompared, forced]).toEqual([[], []]);
  });

  it('differ where one is slower, and nowhere else', async () => {
    const comparison = (await two((database) => void database.exec(slower('int8', 8, 1.1)))).compare();
    const changed = comparison.compared.filter(
      ({ judgement }) => judgement.verdict !== 'not distinguishable',
    );
    expect(
      changed.map(({ subject, judgement }) => [subject.recipe, subject.batch, judgement.verdict]),
    ).toEqual([['int8', 8, 'slower']]);
    const { change, p, adjustedP } = judgementOf(comparison, 'latency', 'int8', 8);
    expect(change.value).toBeCloseTo(0.1, 9);
    expect(change.low).toBeGreaterThan(0);
    expect(change.low).toBeLessThan(0.1);
    expect(change.high).toBeGreaterThan(0.1);
    // Six latencies were compared, and this one has the smallest p.
    expect(adjustedP! / p!).toBeCloseTo(6, 9);
    expect(inWords(judgementOf(comparison, 'latency', 'int8', 8))).toMatch(
      /^10\.0 % slower \(\d\.\d to 1\d\.\d %\)$/,
    );
  });

  it('that lie apart are not compared round by round: what differs from round to round hides a small change', async () => {
    const runs = await two((database) => void database.exec(slower('fp32', 1, 1.004)));
    // Rounds differ by 2 %.
    expect(judgementOf(runs.compare(), 'latency', 'fp32', 1).significant).toBe(false);
    expect(inWords(judgementOf(runs.compare(), 'latency', 'fp32', 1))).toMatch(
      /^no difference seen: between \d\.\d % faster and \d\.\d % slower$/,
    );
  });

  it('differ in memory, in files and in answers', async () => {
    const comparison = (
      await two((database) => {
        database.exec(`update memory set bytes = bytes + 20000000 where phase in ('load', 'first', 'warmup', 'steady')
          and round_id in (${roundsOf('pruned', 1)});
          update variants set file_bytes = file_bytes * 3 / 4 where run_id = 'new' and recipe = 'int8';
          update predictions set predicted = (label + 1) % 10 where image < 60
            and round_id in (${roundsOf('fp32', 64, 'accuracy')});`);
      })
    ).compare();
    expect(judgementOf(comparison, 'memory', 'pruned', 1).verdict).toBe('larger');
    expect(judgementOf(comparison, 'memory', 'pruned', 8).verdict).toBe('not distinguishable');
    expect(inWords(judgementOf(comparison, 'file', 'int8'))).toBe('25.0 % smaller');
    const accuracy = judgementOf(comparison, 'accuracy', 'fp32');
    expect(accuracy.verdict).toBe('worse');
    expect(accuracy.change.value).toBeCloseTo(accuracy.value - accuracy.reference, 12);
    expect(inWords(accuracy)).toMatch(/^\d+\.\d\d points worse \(\d+\.\d\d to \d+\.\d\d\)$/);
    expect(inWords(judgementOf(comparison, 'accuracy', 'int8'))).toBe('the same answers');
  });

  it('compare the p90 only when it is asked for', async () => {
    const runs = await two((database) => void database.exec(slower('fp32', 8, 1.3)));
    expect(runs.compare().compared.some(({ judgement }) => judgement.metric === 'p90')).toBe(false);
    expect(judgementOf(runs.compare({ p90: true }), 'p90', 'fp32', 8).verdict).toBe('slower');
  });

  it('say what speaks against a cell in either of them', async () => {
    const comparison = (
      await two(
        (database) => void database.exec(`update rounds set steady = 0 where id in (${roundsOf('int8', 8)})`),
      )
    ).compare();
    const unsteady = comparison.doubts.filter(({ flags }) =>
      flags.some(({ kind }) => kind === 'never-steady'),
    );
    expect(unsteady.map(({ subject, of }) => [subject.recipe, subject.batch, of])).toEqual([
      ['int8', 8, 'new'],
    ]);
    const { rows, notes } = comparisonTable({ comparison, gates: [] });
    const row = rows.find(
      (each) => each['batch'] === '8' && each['metric'] === 'latency' && /[‡⚑]$/.test(each['difference']!),
    );
    expect(row).toBeDefined();
    expect(notes.join('\n')).toMatch(
      /int8, batch 8, in the new run: 5 of 5 rounds never reached a steady state/,
    );
  });

  it('name what only one of them has, what failed and what cannot be told', async () => {
    const runs = await two((database) => {
      database.exec(`update cells set status = 'failed', reason = 'out of
        memory' where run_id = 'new' and batch = 8 and variant_id in (select id from variants where recipe = 'fp32');
        update variants set recipe = 'older' where run_id = 'reference' and recipe = 'pruned';
        delete from rounds where round > 0 and id in (${roundsOf('int8', 1)});`);
    });
    const { uncompared } = runs.compare();
    const of = (recipe: string, batch?: number) =>
      uncompared.filter(({ subject }) => subject.recipe === recipe && subject.batch === batch);
    expect(of('fp32', 8)).toMatchObject([
      {
        obstacle: {
          kind: 'failed',
          failure: { kind: 'text', text: expect.stringMatching(/^out of\s+memory$/) as unknown },
        },
        failed: true,
      },
    ]);
    expect(of('pruned', 8)).toMatchObject([{ obstacle: { kind: 'not-in-reference' }, failed: false }]);
    expect(of('older', 8)).toMatchObject([{ obstacle: { kind: 'not-in-new-run' }, failed: false }]);
    expect(of('int8', 1).map(({ obstacle }) => obstacle.kind)).toEqual(['one-round', 'one-round']);
  });
});

describe('a noise floor', () => {
  it('makes a difference below it not distinguishable, and says so', async () => {
    const runs = await two((database) => void database.exec(slower('int8', 8, 1.1)));
    const comparison = runs.compare({ floors: [floorFor(runs, 0.2)] });
    const judgement = judgementOf(comparison, 'latency', 'int8', 8);
    expect(judgement).toMatchObject({ significant: true, verdict: 'not distinguishable' });
    expect(inWords(judgement)).toMatch(/minimum detectable effect.*\(\d\d\.\d %\)$/);
    expect(judgementOf(runs.compare({ floors: [floorFor(runs, 0.01)] }), 'latency', 'int8', 8).verdict).toBe(
      'slower',
    );
  });

  it('holds for its batch size, metric, device and environment only; the newest counts', async () => {
    const runs = await two((database) => void database.exec(slower('int8', 8, 1.1)));
    const verdict = (...floors: StoredFloor[]) =>
      judgementOf(runs.compare({ floors }), 'latency', 'int8', 8).verdict;
    expect(verdict(floorFor(runs, 0.2, { batch: 1 }))).toBe('slower');
    expect(verdict(floorFor(runs, 0.2, { metric: 'memory' }))).toBe('slower');
    expect(verdict(floorFor(runs, 0.2, { device: 'board' }))).toBe('slower');
    expect(verdict(floorFor(runs, 0.2, { environment: 'another' }))).toBe('slower');
    expect(verdict(floorFor(runs, 0.01), floorFor(runs, 0.2))).toBe('slower');
    expect(verdict(floorFor(runs, 0.2), floorFor(runs, 0.01))).toBe('not distinguishable');
  });

  it('that is missing is said, once for each device', async () => {
    const runs = await two();
    const said = (floors: StoredFloor[]) =>
      runs.compare({ floors }).notes.filter(({ kind }) => kind === 'no-noise-floor');
    expect(said([])).toEqual([{ kind: 'no-noise-floor', device: 'laptop', batches: [1, 8], floor: 0.02 }]);
    expect(said([floorFor(runs, 0.1)])).toEqual([
      { kind: 'no-noise-floor', device: 'laptop', batches: [1], floor: 0.02 },
    ]);
    expect(said([floorFor(runs, 0.1), floorFor(runs, 0.1, { batch: 1 })])).toEqual([]);
  });

  it('decides within a run, too, from rounds in turn', async () => {
    const { analysis } = await storedExample(folder('one.sqlite'), { smooth: true });
    const runs = await two();
    const verdict = (floors: StoredFloor[]) => {
      const again = analyse(analysis.run, floors);
      return withinRun(figuresOf(again, 'int8'), 'latency', 8)!.verdict;
    };
    expect(verdict([])).toBe('faster');
    expect(verdict([floorFor(runs, 5)])).toBe('not distinguishable');
    expect(analysis.floorNotes).toHaveLength(1);
  });
});

describe('runs that were not made alike', () => {
  const environment = (path: string, value: string): string =>
    `update devices set environment_json = json_set(environment_json, '$.${path}', ${value}) where run_id = 'new';`;
  const cases: [what: string, sql: string, reference: string, value: string][] = [
    ['processor of laptop', environment('cpu.model', "'Another'"), 'A processor', 'Another'],
    ['instruction sets of laptop', environment('cpu.features', "json('[]')"), 'avx2', 'none'],
    [
      'cores of laptop',
      environment('cpu.physicalCores', '8'),
      '2 physical, 4 logical',
      '8 physical, 4 logical',
    ],
    [
      'usable processors of laptop',
      environment('cpu.usable', `json('{"processors":2,"cores":1,"quota":null}')`),
      'none',
      '2 of 4 on 1 cores, quota none',
    ],
    [
      'usable processors of laptop',
      environment('cpu.usable', `json('{"processors":4,"cores":2,"quota":1.5}')`),
      'none',
      '4 of 4 on 2 cores, quota 1.5',
    ],
    ['virtual machine of laptop', environment('virtual', `json('false')`), 'yes', 'no'],
    ['virtual machine of laptop', environment('hypervisor', `'KVM'`), 'yes', 'KVM'],
    ['virtual machine of laptop', environment('emulated', `json('true')`), 'yes', 'emulated'],
    [
      'instruction sets of laptop',
      environment('cpu.features', `json('["avx2","avx512_vnni"]')`),
      'avx2',
      'avx2 avx512_vnni',
    ],
    ['frequency governor of laptop', environment('cpu.governor', "'powersave'"), 'performance', 'powersave'],
    [
      'onnxruntime-node of laptop',
      environment('versions."onnxruntime-node"', "'1.29.0'"),
      '1.30.0',
      '1.29.0',
    ],
    ['Node.js of laptop', environment('node', "'22.1.0'"), '20', '22'],
    ['memory of laptop', environment('memoryBytes', '4294967296'), '8192 MiB', '4096 MiB'],
    ['threads of laptop', "update devices set threads = 1 where run_id = 'new';", '2', '1'],
    [
      'session options of laptop',
      `update rounds set session_json = json_set(session_json, '$.arena', json('false'))
        where cell_id in (select id from cells where run_id = 'new');`,
      'arena true, memoryPattern false, spinning true, threads 2',
      'arena false, memoryPattern false, spinning true, threads 2',
    ],
    [
      'session options of laptop',
      `update rounds set session_json = json_set(session_json, '$.x64QuantPrecision', json('true'))
        where cell_id in (select id from cells where run_id = 'new');`,
      'arena true, memoryPattern false, spinning true, threads 2',
      'arena true, memoryPattern false, spinning true, threads 2, x64QuantPrecision true',
    ],
    [
      'images',
      "update runs set data_json = json_set(data_json, '$.hash', 'beef') where id = 'new';",
      'shapes10, 300 test images (d4e5)',
      'shapes10, 300 test images (beef)',
    ],
    [
      'weights of vit-drawn',
      "update variants set synthetic = 1 where run_id = 'new';",
      'trained',
      'synthetic',
    ],
    [
      'parameters of vit-drawn',
      "update variants set parameters = 7 where run_id = 'new' and recipe = 'fp32';",
      '800000',
      '7',
    ],
  ];

  it.each(cases)('are refused when it is the %s', async (what, sql, reference, value) => {
    const runs = await two((database) => void database.exec(sql));
    const fault = await refusalOf(() => runs.compare());
    expect(fault.found).toContain(`${what}: ${reference} in the reference, ${value} in the new run`);
    expect(fault.hint).toContain('--force');
    expect(runs.compare({ force: true }).forced).toContainEqual({ what, reference, value });
  });

  it('are compared when it is the kernel or the commit, which is said', async () => {
    const runs = await two((database) => {
      database.exec(environment('os.kernel', "'6.2'") + environment('git.commit', "'fedcba9876543210'"));
    });
    const { notes } = runs.compare();
    const different = (what: string, reference: string, value: string): object => ({
      kind: 'also-different',
      difference: { what, reference, value },
    });
    expect(notes).toContainEqual(different('kernel of laptop', '6.1', '6.2'));
    const commits = ['0123456789ab with changes', 'fedcba987654 with changes'] as const;
    expect(notes).toContainEqual(different('commit of laptop', ...commits));
  });

  it('are refused when they have nothing in common, forced or not', async () => {
    const runs = await two(
      (database) => void database.exec("update devices set name = 'board' where run_id = 'new'"),
    );
    for (const force of [false, true]) {
      const fault = await refusalOf(() => runs.compare({ force }));
      expect(fault.found).toMatch(/on laptop\).*on board\)/);
    }
  });
});

describe('words', () => {
  const change = { value: 0.02, low: 0.003, high: 0.037 };
  const judgement: Judgement = {
    ...{
      metric: 'latency' as const,
      reference: 10,
      value: 10.2,
      change,
      p: 0.03,
      observations: 5,
      floor: undefined,
    },
    ...{ adjustedP: 0.03, significant: true, verdict: 'slower' as const },
  };

  it('say the change, its interval, and why it does not count where it does not', () => {
    expect(inWords(judgement)).toBe('2.0 % slower (0.3 to 3.7 %)');
    expect(inWords({ ...judgement, verdict: 'not distinguishable', floor: 0.025 })).toBe(
      '2.0 % slower (0.3 to 3.7 %), below the minimum detectable effect of this device (2.5 %)',
    );
    const alone: Judgement = {
      ...judgement,
      adjustedP: 0.3,
      significant: false,
      verdict: 'not distinguishable',
    };
    expect(inWords(alone)).toBe(
      '2.0 % slower (0.3 to 3.7 %) on its own, but not after correction for the number of figures',
    );
    expect(inWords({ ...alone, change: { value: 0.01, low: -0.012, high: 0.04 } })).toBe(
      'no difference seen: between 1.2 % faster and 4.0 % slower',
    );
    expect(inWords({ ...judgement, change: { value: -0.05, low: -0.08, high: -0.02 } })).toBe(
      '5.0 % faster (2.0 to 8.0 %)',
    );
  });
});
