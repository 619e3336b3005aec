import { describe, expect, it } from 'vitest';
import * as format from '../../src/text/format.js';
import { mainTable } from '../../src/text/table.js';
import { terminalTable } from '../../src/text/terminal.js';
import { useFolder } from '../support/folder.js';
import { hostileDress } from '../report/support/hostile.js';
import { figuresOf, storedExample } from '../analysis/support/stored.js';

const folder = useFolder();
const stored = () => storedExample(folder('results.sqlite'));

describe('the main table', () => {
  it('has a row for every variant and batch size, in the order of the suite', async () => {
    const { rows, states } = mainTable((await stored()).analysis);
    expect(rows.map((row) => [row['variant'] ?? '', row['batch']])).toEqual([
      ...[
        ['vit-drawn · fp32', '1'],
        ['', '8'],
        ['vit-drawn · int8', '1'],
        ['', '8'],
      ],
      ...[
        ['vit-drawn · pruned', '1'],
        ['', '8'],
        ['vit-large · fp32', '1'],
        ['', '8'],
      ],
      ...[
        ['vit-large · int8', '1'],
        ['', '8'],
      ],
    ]);
    expect(states.map(({ first }) => first)).toEqual(rows.map(({ variant }) => variant !== undefined));
  });

  it('shows the figures of the analysis', async () => {
    const { analysis } = await stored();
    const { accuracy, latencies } = figuresOf(analysis, 'int8');
    const [row, second] = mainTable(analysis).rows.slice(2);
    const [single, eight] = latencies;
    // The values are read back from the words, whatever the words around them.
    const numbers = (text = ''): number[] => [...text.matchAll(/\d+(\.\d+)?/g)].map(([each]) => Number(each));
    const [top1, low, high] = numbers(row!['top1']);
    expect(top1).toBeCloseTo(accuracy!.top1!.value * 100, 2);
    expect([low, high]).toEqual(
      [accuracy!.top1!.low, accuracy!.top1!.high].map((each) => Number((each * 100).toFixed(1))),
    );
    expect(accuracy!.mcnemarP).toBeLessThan(0.001);
    expect(row!['mcnemar']).toBe('< 0.001');
    const pruned = mainTable(analysis).rows.find(({ variant }) => variant === 'vit-drawn · pruned')!;
    const p = figuresOf(analysis, 'pruned').accuracy!.mcnemarP!;
    expect(Math.abs(Number(pruned['mcnemar']) - p)).toBeLessThan(0.00051);
    expect(numbers(row!['latency'])[0]! / single!.median.value).toBeCloseTo(1, 2);
    expect(numbers(second!['latency'])[0]! / eight!.median.value).toBeCloseTo(1, 2);
    expect(numbers(second!['p90'])[0]! / eight!.p90!.value).toBeCloseTo(1, 2);
    expect(numbers(second!['speedup'])[0]).toBeCloseTo(eight!.speedup!.value, 2);
    expect(numbers(second!['memory'])[0]! / (eight!.memory!.peak / 2 ** 20)).toBeCloseTo(1, 2);
    expect(numbers(second!['reduction'])[0]).toBeCloseTo(eight!.memory!.reduction! * 100, 1);
    expect(second!['reduction']).toMatch(/^−/);
    expect(numbers(row!['testSet'])[0]! / accuracy!.testSetSeconds).toBeCloseTo(1, 1);
  });

  it('leaves what does not apply empty: no accuracy of synthetic weights, no comparison of fp32 with itself', async () => {
    const { rows } = mainTable((await stored()).analysis);
    const of = (name: string) => rows.find(({ variant }) => variant === name)!;
    for (const name of ['vit-large · fp32', 'vit-large · int8'])
      expect([of(name)['top1'], of(name)['mcnemar']]).toEqual(['', '']);
    expect(of('vit-large · int8')['agreement']).toMatch(/^\d/);
    const baseline = of('vit-drawn · fp32');
    for (const key of ['mcnemar', 'agreement', 'speedup', 'reduction']) expect(baseline[key]).toBe('');
  });

  it('marks a failed cell, one that is not measured yet and one that was not steady', async () => {
    const { rows, states, notes } = mainTable((await stored()).analysis);
    const marked = rows
      .map((row, index) => ({ batch: row['batch'], latency: row['latency'], mark: states[index]!.mark }))
      .filter(({ mark }) => mark !== undefined);
    expect(marked).toEqual([
      { batch: '1', latency: expect.stringMatching(/ ‡$/) as string, mark: 'flagged' },
      { batch: '8', latency: '✗ performance failed', mark: 'failed' },
      { batch: '8', latency: 'not measured yet', mark: 'pending' },
    ]);
    expect(notes).toContain(
      '✗ vit-drawn · pruned, batch 8, performance: the agent was killed (SIGKILL) out of memory, "perhaps"; see the log',
    );
    expect(notes).toContain('‡ vit-drawn · int8, batch 1: 1 of 5 rounds never reached a steady state.');
    expect(notes).toContain('1 cell of this run is not measured yet.');
  });

  it('shows a variant of which nothing is measured yet', async () => {
    const { analysis } = await storedExample(folder('none.sqlite'), { smooth: true }, (database) => {
      database.exec(`update cells set status = 'pending'; delete from rounds`);
    });
    const { columns, rows, notes } = mainTable(analysis);
    expect(rows.map(({ latency }) => latency)).toEqual(Array(6).fill('not measured yet'));
    expect(columns.map(({ key }) => key)).toEqual([
      ...['variant', 'batch', 'latency', 'file', 'parameters', 'published'],
    ]);
    expect(notes).toContain('12 cells of this run are not measured yet.');
  });

  it('shows a failed pass over the test images beside the timings', async () => {
    const { analysis } = await storedExample(folder('unscored.sqlite'), { smooth: true }, (database) => {
      database.exec(`update cells set status = 'failed', reason = 'no images' where kind = 'accuracy'`);
    });
    const { columns, rows, notes } = mainTable(analysis);
    expect(rows.map(({ latency }) => latency).filter((text) => text?.startsWith('✗'))).toEqual(
      Array(3).fill('✗ accuracy failed'),
    );
    expect(columns.map(({ key }) => key)).not.toContain('top1');
    expect(notes).toContain('✗ int8, batch 64, accuracy: no images');
  });

  it('says when what an image gives depends on its batch', async () => {
    const words = 'the logits of an image depend on the others in its batch';
    const { analysis } = await stored();
    expect(mainTable(analysis).notes.join('\n')).not.toContain(words);
    const { analysis: dynamic } = await storedExample(folder('dynamic.sqlite'), {}, (database) => {
      database.exec(
        `update variants set stages_json = replace(stages_json, '"format":"w8a8"', '"format":"dynamic"')`,
      );
    });
    const said = mainTable(dynamic).notes.filter((note) => note.includes(words));
    expect(said.map((note) => note.split(':')[0])).toEqual(['vit-drawn · int8', 'vit-large · int8']);
  });

  it('says what the card claims and whether fp32 agrees', async () => {
    const { analysis } = await stored();
    const right = figuresOf(analysis, 'fp32').accuracy!.correct!;
    const claim = mainTable(analysis).notes.find((note) => note.includes('its card says'));
    expect(claim).toBe(
      `vit-drawn: its card says 90.33 % top-1 (271 of 300, PyTorch); fp32 here ` +
        `${right === 271 ? 'agrees' : 'does not agree'}, with ${right} right.`,
    );
    const changed = await storedExample(folder('agrees.sqlite'), {}, (database) => {
      database.prepare(`update variants set card_json = json_set(card_json, '$.correct', ?)`).run(right);
    });
    expect(mainTable(changed.analysis).notes.join('\n')).toContain(`fp32 here agrees, with ${right} right.`);
  });

  it('names the devices where a run has several, and models only where it has several', async () => {
    const { analysis } = await storedExample(folder('two.sqlite'), {
      ...{ smooth: true, devices: ['laptop', 'board'] },
    });
    const names = mainTable(analysis).rows.flatMap(({ variant }) => variant ?? []);
    expect(names).toEqual([
      ...['fp32 · laptop', 'int8 · laptop', 'pruned · laptop'],
      ...['fp32 · board', 'int8 · board', 'pruned · board'],
    ]);
  });
});

describe('the table in a terminal', () => {
  it('has a line for each row, with every text of it in the order of the columns', async () => {
    const table = mainTable((await stored()).analysis);
    const lines = terminalTable(table, false).split('\n');
    expect(lines.slice(-table.notes.length)).toEqual(table.notes);
    for (const [index, row] of table.rows.entries()) {
      let at = 0;
      for (const { key } of table.columns) {
        const text = row[key] ?? '';
        const found = lines[index + 1]!.indexOf(text, at);
        expect(found, `${text} in line ${index + 1}`).toBeGreaterThanOrEqual(at);
        at = found + text.length;
      }
    }
  });

  it('aligns its columns', async () => {
    const table = mainTable((await stored()).analysis);
    const lines = terminalTable(table, false)
      .split('\n')
      .slice(0, table.rows.length + 1);
    const end = lines[0]!.indexOf('batch') + 'batch'.length;
    for (const line of lines.slice(1)) expect(line.slice(end - 3, end)).toMatch(/^ +[18]$/);
  });

  it('lets no name and no reason command the terminal', async () => {
    for (let first = 0; first < 12; first++) {
      const { analysis } = await storedExample(folder(`${first}.sqlite`), { dress: hostileDress(first) });
      expect(terminalTable(mainTable(analysis), false)).not.toMatch(/[^\P{Cc}\n]/u);
    }
  });

  it('is in colour only where it is asked to be', async () => {
    const table = mainTable((await stored()).analysis);
    expect(terminalTable(table, true)).toContain('\u001b[1m');
    expect(terminalTable(table, false)).not.toContain('\u001b');
  });
});

describe('figures in words', () => {
  it('have as many digits as say something', () => {
    expect(
      [0, 0.000123, 0.04123, 1, 12.345, 999.4, 1016.4, -2.5].map((each) => format.significant(each)),
    ).toEqual(['0', '0.000123', '0.0412', '1.00', '12.3', '999', '1016', '-2.50']);
    expect([NaN, Infinity].map((each) => format.significant(each))).toEqual(['–', '–']);
  });

  it('never claim a probability of nothing', () => {
    expect([0, 0.00099, 0.001, 0.5, 1].map(format.pValue)).toEqual([
      ...['< 0.001', '< 0.001', '0.001', '0.500', '1.000'],
    ]);
  });

  it('tell less from more', () => {
    expect([0.621, -0.05].map(format.reduction)).toEqual(['−62.1 %', '+5.0 %']);
  });

  it('round seconds before they are split into minutes', () => {
    expect([0.5, 8.24, 59.94, 60, 119.7, 3605].map(format.seconds)).toEqual([
      ...['0.50 s', '8.2 s', '60 s', '1 min 00 s', '2 min 00 s', '60 min 05 s'],
    ]);
  });
});
