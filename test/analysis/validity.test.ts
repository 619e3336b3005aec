import { beforeEach, describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { flagsOf, type Flag } from '../../src/analysis/figures/validity.js';
import { mainTable } from '../../src/text/table.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { htmlExporter } from '../../src/report/exporters/html.js';
import { markdownExporter } from '../../src/report/exporters/markdown.js';
import { terminalTable } from '../../src/text/terminal.js';
import type { StoredCell } from '../../src/store/read.js';
import type { StoredRound } from '../../src/store/rounds.js';
import { useFolder } from '../support/folder.js';
import { figuresOf, storedExample } from './support/stored.js';

const folder = useFolder();

type Seen = StoredRound['conditions'][number]['conditions'];

/** A cell of the example, whose rounds tests replace. */
let example: StoredCell;

beforeEach(async () => {
  const { analysis } = await storedExample(folder('example.sqlite'), { smooth: true });
  example = analysis.run.cells.find(({ row }) => row.kind === 'performance' && row.batch === 8)!;
});

const QUERIES = 60;

/** Rounds as a quiet machine gives them: noise of two percent within a round and one between rounds. */
function quiet(
  change: (sample: number, query: number, round: number, random: Random) => number = (sample) => sample,
  seen: (round: number) => readonly Partial<Seen>[] = () => [{ otherLoad: 0.03, stolen: 0 }],
): StoredCell {
  const random = seededRandom(3);
  const rounds = example.rounds.map((stored, round): StoredRound => {
    const centre = 10 * Math.exp(0.01 * random.normal());
    return {
      ...stored,
      samples: Array.from({ length: QUERIES }, (_, query) =>
        change(centre * Math.exp(0.02 * random.normal()), query, round, random),
      ),
      conditions: [
        // What it was like before queries were timed does not count.
        { phase: 'prepare', conditions: { at: 1, otherLoad: 9, fastestCore: 10, throttling: ['cold'] } },
        ...seen(round).map((conditions, index) => ({
          phase: 'steady',
          conditions: { at: index + 2, ...conditions },
        })),
      ],
    };
  });
  return { ...example, rounds };
}

const names = (flags: readonly Flag[]): string[] => flags.map(({ kind }) => kind);

describe('a cell', () => {
  it('of a quiet machine has no flags', () => {
    expect(flagsOf(quiet())).toEqual([]);
  });

  it('of which nothing is known but latencies has none for what cannot be known', () => {
    expect(flagsOf(quiet(undefined, () => []))).toEqual([]);
    expect(flagsOf(quiet(undefined, () => [{}]))).toEqual([]);
  });

  it('is flagged when a round never got steady', () => {
    const cell = quiet();
    const [first, ...rest] = cell.rounds;
    const rounds = [{ ...first!, row: { ...first!.row, steady: 0 } }, ...rest];
    expect(flagsOf({ ...cell, rounds })).toEqual([{ kind: 'never-steady', rounds: 1, of: 5 }]);
  });

  it.each([
    ['slower', 0.1],
    ['faster', -0.1],
  ])('is flagged when it gets %s within most rounds', (way, change) => {
    const drifting = (from: number) =>
      flagsOf(quiet((sample, query, round) => sample * (round >= from ? 1 + (change * query) / QUERIES : 1)));
    const [flag] = drifting(2);
    expect(flag).toMatchObject({ kind: 'drift', rounds: 3, of: 5 });
    const share = flag?.kind === 'drift' ? flag.share : NaN;
    expect(Math.sign(share)).toBe(way === 'slower' ? 1 : -1);
    expect(Math.abs(share)).toBeGreaterThan(0.08);
    expect(Math.abs(share)).toBeLessThan(0.13);
    expect(drifting(3)).toEqual([]);
  });

  it('is not flagged for a drift that is small, however certain', () => {
    expect(flagsOf(quiet((sample, query) => sample * (1 + (0.03 * query) / QUERIES)))).toEqual([]);
  });

  it('is flagged when the fastest core did not keep its frequency', () => {
    const at = (...megahertz: number[]) =>
      flagsOf(quiet(undefined, (round) => [{ fastestCore: megahertz[round % megahertz.length]! }]));
    expect(at(2400, 2400, 1500)).toEqual([{ kind: 'frequency-changed', least: 1500, most: 2400 }]);
    expect(names(at(2400, 2300, 2400))).toEqual([]);
    expect(names(at(2400, 2270, 2400))).toEqual(['frequency-changed']);
  });

  it('is flagged when the governor changed', () => {
    const [flag] = flagsOf(
      quiet(undefined, (round) => [{ governor: round === 4 ? 'powersave' : 'performance' }]),
    );
    expect(flag).toEqual({ kind: 'governor-changed', governors: ['performance', 'powersave'] });
  });

  it('is not decided when the device was held back in most rounds', () => {
    const held = (rounds: number) =>
      flagsOf(
        quiet(undefined, (round) => [
          { throttling: [] },
          { throttling: round < rounds ? ['under-voltage'] : [] },
        ]),
      );
    expect(held(3)).toEqual([
      { kind: 'disturbed', rounds: 3, of: 5, by: [{ kind: 'throttled', reasons: ['under-voltage'] }] },
    ]);
    expect(held(2)).toEqual([
      { kind: 'rounds-left-out', rounds: 2, of: 5, by: [{ kind: 'throttled', reasons: ['under-voltage'] }] },
    ]);
  });

  it('is not decided when others took the processor in most rounds, also a hypervisor', () => {
    const with_ = (otherLoad: number, stolen: number, busy = 3) =>
      flagsOf(quiet(undefined, (round) => [{ otherLoad: round < busy ? otherLoad : 0.01, stolen }]));
    expect(with_(0.9, 0)).toEqual([
      { kind: 'disturbed', rounds: 3, of: 5, by: [{ kind: 'other-load', cores: 0.9 }] },
    ]);
    expect(names(with_(0, 0.4))).toEqual(['disturbed']);
    expect(names(with_(0.1, 0.04))).toEqual([]);
    expect(names(with_(2, 0, 2))).toEqual(['rounds-left-out']);
  });

  it('is flagged when its cores lay near each other in some rounds and far apart in others', () => {
    const cell = quiet();
    const rounds = cell.rounds.map((round, index) => ({
      ...round,
      placement: index === 2 ? { before: 270, after: 275 } : { before: 50, after: 54 },
    }));
    expect(flagsOf({ ...cell, rounds })).toEqual([{ kind: 'placements-differ', nearest: 50, farthest: 275 }]);
  });

  it('is flagged when it was only to show that it runs', () => {
    const cell = quiet();
    const smoke = { ...cell, row: { ...cell.row, tier: 'smoke' } };
    expect(names(flagsOf(smoke))).toEqual(['smoke-tier']);
    const unsteady = cell.rounds.map((round) => ({ ...round, row: { ...round.row, steady: 0 } }));
    expect(names(flagsOf({ ...smoke, rounds: unsteady }))).toEqual(['smoke-tier']);
  });

  it('is flagged when there are fewer queries than its tier asks for', () => {
    const cell = quiet();
    const short = cell.rounds.map((round) => ({ ...round, samples: round.samples.slice(0, 12) }));
    expect(flagsOf({ ...cell, rounds: short })).toMatchObject([
      { kind: 'few-samples', queries: 60, tier: 'rapid', asked: 64 },
    ]);
    const enough = cell.rounds.map((round) => ({ ...round, samples: round.samples.slice(0, 13) }));
    expect(flagsOf({ ...cell, rounds: enough })).toEqual([]);
  });

  it('is flagged when one process is slower than the others as a whole', () => {
    const slower = (by: number, noise: number) =>
      flagsOf(
        quiet(
          (sample, _, round, random) =>
            sample * (round === 2 ? 1 + by : 1) * Math.exp(noise * random.normal()),
        ),
      );
    expect(names(slower(0.25, 0))).toEqual(['processes-disagree']);
    const [flag] = slower(0.25, 0);
    const apart = flag?.kind === 'processes-disagree' ? flag.slowest / flag.fastest : NaN;
    expect(apart).toBeGreaterThan(1.2);
    expect(apart).toBeLessThan(1.3);
    expect(names(slower(0.05, 0))).toEqual([]);
    // Where every process varies so much, one that differs as much is no news.
    expect(names(slower(0.25, 0.4))).toEqual([]);
  });
});

describe('a flagged cell', () => {
  const flagging = (recipe = 'int8') =>
    storedExample(folder('flagged.sqlite'), { smooth: true }, (database) => {
      database.exec(`insert into conditions select r.id, 0, 'steady', '{"at":1,"otherLoad":0.75}' from rounds r
        join cells c on c.id = r.cell_id join variants v on v.id = c.variant_id
        where c.kind = 'performance' and c.batch = 1 and v.recipe = '${recipe}'`);
      database.exec(`update rounds set steady = 0 where round = 1 and cell_id in (select c.id from cells c
        join variants v on v.id = c.variant_id where c.kind = 'performance' and v.recipe = '${recipe}')`);
    });
  const words =
    '1 of 5 rounds never reached a steady state; ' +
    'not decided: other processes used 0.75 of a core while queries were timed (5 of 5 rounds were disturbed)';

  it('has one sign in its row and the words below the table', async () => {
    const { analysis } = await flagging();
    const { rows, states, notes } = mainTable(analysis);
    const marked = rows.filter((_, index) => states[index]!.mark === 'flagged');
    expect(marked.map(({ batch, latency }) => [batch, latency!.at(-1)])).toEqual([
      ['1', '⚑'],
      ['8', '‡'],
    ]);
    expect(notes).toContain(`⚑ int8, batch 1: ${words}.`);
    expect(notes).toContain('‡ int8, batch 8: 1 of 5 rounds never reached a steady state.');
    const [body = ''] = terminalTable(mainTable(analysis), false, 80).split('\n\n');
    expect(body).toContain('⚑');
  });

  it('shares one note with others that are flagged for the same reason', async () => {
    const { analysis } = await storedExample(folder('alike.sqlite'), { smooth: true }, (database) => {
      database.exec(
        `update rounds set steady = 0 where round = 1 and cell_id in (select id from cells where kind = 'performance')`,
      );
    });
    const about = mainTable(analysis).notes.filter((note) => note.startsWith('‡'));
    expect(about).toHaveLength(1);
    for (const { latencies, variant } of analysis.figures)
      expect(about[0]).toContain(
        `${variant.recipe} (batch ${latencies.map(({ batch }) => batch).join(' and ')})`,
      );
    expect(about[0]).toMatch(/: 1 of 5 rounds never reached a steady state\.$/);
  });

  it('is shown as such in every format', async () => {
    const { analysis } = await flagging();
    const [single, eight] = figuresOf(analysis, 'int8').latencies;
    const document = reportDocument(analysis).results.find(({ recipe }) => recipe === 'int8')!;
    expect(document.performance[0]!.flags.map(({ name }) => name)).toEqual(['never-steady', 'disturbed']);
    expect(document.performance[0]!.outlierQueries).toBe(single!.outliers);
    expect(single!.outliers).toBeLessThan(single!.queries / 4);
    expect(eight!.flags).toHaveLength(1);
    const csv = await csvExporter.render(analysis);
    expect(csv).toContain('never-steady; disturbed');
    expect(await markdownExporter.render(analysis)).toContain(`⚑ int8, batch 1: ${words}`);
    const page = await htmlExporter.render(analysis);
    expect(page.match(/<tr\s+class="[^"]*flagged"/g)).toHaveLength(2);
    expect(page).toContain('In doubt');
    expect(page).toContain('used 0.75 of a core');
  });

  it('has its words behind one line of the page, which counts them', async () => {
    const line = /<summary>[^<]*?(\d+) of (\d+) latencies/;
    const { analysis } = await flagging();
    expect(line.exec(await htmlExporter.render(analysis))?.[1]).toBe('2');
    const { analysis: disturbed } = await storedExample(
      folder('disturbed.sqlite'),
      { smooth: true },
      (database) => {
        database.exec(`update rounds set steady = 0 where round = 1`);
      },
    );
    const flagged = disturbed.figures.flatMap(({ latencies }) => latencies);
    expect(flagged.length).toBeGreaterThan(5);
    expect(flagged.every(({ flags }) => flags.length > 0)).toBe(true);
    const found = line.exec(await htmlExporter.render(disturbed));
    expect(found?.slice(1)).toEqual([String(flagged.length), String(flagged.length)]);
  });

  it('is one without flags when nothing was seen', async () => {
    const { analysis } = await storedExample(folder('smooth.sqlite'), { smooth: true });
    const page = await htmlExporter.render(analysis);
    expect(page).not.toContain('In doubt');
    expect(mainTable(analysis).states.some(({ mark }) => mark !== undefined)).toBe(false);
  });
});
