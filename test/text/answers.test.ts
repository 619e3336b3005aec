import { describe, expect, it } from 'vitest';
import { judgementOf } from '../../src/analysis/analysis.js';
import { answersOf } from '../../src/analysis/answers.js';
import { answeredQuestions, answersText } from '../../src/text/answers.js';
import { mainTable } from '../../src/text/table.js';
import { terminalTable } from '../../src/text/terminal.js';
import { storedExample } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

describe('the answers of a run', () => {
  it('name the cells with the largest gains that were told, and no others', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'));
    for (const { model, fastest, smallest, losses } of answersOf(analysis)) {
      const own = analysis.figures.filter(
        ({ variant, isBaseline }) => variant.model === model && !isBaseline,
      );
      const told = (metric: 'latency' | 'memory', verdict: string) =>
        own.flatMap((figures) =>
          figures.latencies.filter(({ batch }) => judgementOf(figures, metric, batch)?.verdict === verdict),
        );
      expect(fastest?.latency.speedup?.value).toBe(
        Math.max(...told('latency', 'faster').map(({ speedup }) => speedup!.value)),
      );
      expect(smallest?.latency.memory?.reduction).toBe(
        Math.max(...told('memory', 'smaller').map(({ memory }) => memory!.reduction!)),
      );
      expect(new Set(losses)).toEqual(new Set([fastest!.figures, smallest!.figures]));
    }
  });

  it('say what failed, what is in doubt, what is missing and what was not told', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'));
    const [drawn, large] = answersOf(analysis);
    const named = (
      cells: readonly { figures: { variant: { recipe: string } }; batch: number | undefined }[],
    ) => cells.map(({ figures, batch }) => [figures.variant.recipe, batch]);
    expect(named(drawn!.exceptions.failed)).toEqual([['pruned', 8]]);
    expect(named(drawn!.exceptions.inDoubt)).toEqual([['int8', 1]]);
    expect(named(drawn!.exceptions.lessAccurate)).toEqual([['int8', undefined]]);
    expect(named(large!.exceptions.pending)).toEqual([['int8', 8]]);
    const [, , last] = answeredQuestions(analysis);
    for (const words of [
      'failed: pruned (batch 8)',
      'with a warning: int8 (batch 1)',
      'beyond batch 1 and 8 on laptop',
    ])
      expect(last!.answers[0]).toContain(words);
  });

  it('say that one round decides nothing', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'));
    const figures = analysis.figures.map((each) => ({
      ...each,
      judgements: [],
      latencies: each.latencies.map((latency) => ({ ...latency, rounds: 1 })),
    }));
    const [bought] = answeredQuestions({ ...analysis, figures });
    for (const answer of bought!.answers) expect(answer).toContain('at least two rounds');
  });

  it('never say an accuracy of synthetic weights, nor a memory of a device that tells none', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'), { devices: ['laptop', 'board'] });
    const [bought, lost] = answeredQuestions(analysis);
    const of = (answers: readonly string[], what: string) => answers.find((each) => each.startsWith(what))!;
    expect(of(lost!.answers, 'vit-large on laptop: ')).toMatch(/the class that fp32 gives/);
    expect(of(lost!.answers, 'vit-large on laptop: ')).not.toMatch(/top-1/);
    expect(of(bought!.answers, 'vit-drawn on board: ')).toContain('memory is not known');
  });

  it('are none of a run that compressed nothing', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'), { smooth: true }, (database) => {
      database.exec(
        `delete from cells where variant_id in (select id from variants where recipe <> 'fp32'); delete from variants where recipe <> 'fp32'`,
      );
    });
    expect(answersText(analysis)).toEqual([]);
  });

  it('fit a terminal of 80 columns with the table, which keeps every verdict', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'), { devices: ['laptop', 'board'] });
    const table = mainTable(analysis);
    const text = [...answersText(analysis, 80), terminalTable(table, false, 80)].join('\n');
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const words = (verdict: string) => verdict.split(/,? /).filter((word) => word !== '');
    const shown = words(text.replace(/\s+/g, ' ')).join(' ');
    for (const row of table.rows)
      for (const word of words(row['verdict'] ?? '')) expect(shown).toContain(word);
  });
});

describe('what others published', () => {
  it('stands in rows of its own, in our columns, once for all devices', async () => {
    const { analysis } = await storedExample(
      folder('a.sqlite'),
      { smooth: true, devices: ['laptop', 'board'] },
      (database) => {
        const theirs = { source: 's', model: 'm', hardware: 'h', figures: ['28 ms'] };
        database
          .prepare(`update variants set published_json = ? where recipe = 'int8'`)
          .run(JSON.stringify({ ...theirs, rows: [{ batch: 64, latency: '28 ms' }, { memory: '623 MB' }] }));
      },
    );
    const { columns, rows, states, notes } = mainTable(analysis);
    const theirs = rows.filter((_, index) => states[index]!.mark === 'published');
    expect(theirs).toEqual([
      { variant: '† published', batch: '64', latency: '28 ms' },
      { variant: '† published', memory: '623 MB' },
    ]);
    const at = rows.indexOf(theirs[0]!);
    expect(states.slice(at - 2, at + 2).map(({ series }) => series)).toEqual(Array(4).fill('int8'));
    expect(columns.map(({ key }) => key)).not.toContain('published');
    expect(notes.find((note) => note.startsWith('†'))).toContain('s: m on h');
  });

  it('is sorted by what it says, and our rows by their figures', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'), { smooth: true });
    const { states } = mainTable(analysis);
    const [figures] = analysis.figures;
    expect(states[0]!.values).toMatchObject({
      batch: figures!.latencies[0]!.batch,
      latency: figures!.latencies[0]!.median.value,
      top1: figures!.accuracy!.top1!.value,
      file: figures!.fileBytes,
    });
    // What is of the variant is of all its rows.
    expect(states[1]!.values['top1']).toBe(states[0]!.values['top1']);
  });
});
