import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { changesOf } from '../../src/analysis/history/changes.js';
import { historyDocument } from '../../src/report/history/document.js';
import { historyFindings, type HistoryFindings } from '../../src/analysis/history/findings.js';
import type { History } from '../../src/analysis/history/history.js';
import type { HistoryPoint } from '../../src/analysis/history/points.js';
import { historyText } from '../../src/text/history/terminal.js';
import type { Environment } from '../../src/protocol/environment.js';
import { openStore, type Db } from '../../src/store/open.js';
import { useFolder } from '../support/folder.js';
import { shareOf } from '../support/simulate.js';
import {
  commitOf,
  environmentOf,
  historyOf,
  IMAGES,
  runOf,
  runsOf,
  storeHistory,
  type HistoricRun,
} from './support/history.js';

const folder = useFolder();
const { cpu } = environmentOf('a processor');
let db: Db;

beforeEach(async () => {
  db = await openStore(folder('results.sqlite'));
  onTestFinished(() => db.destroy());
});

/** Stores runs with a noise of 1 % and says what their history is. */
async function history(
  count: number,
  one: (index: number) => HistoricRun,
  noise = 0.01,
): Promise<{ history: History; findings: HistoryFindings }> {
  await storeHistory(db, 3, noise, runsOf(count, one));
  const found = await historyOf(db);
  return { history: found, findings: historyFindings(found) };
}

/** Series of a history by name and metric. */
function seriesOf({ cells }: History, name: string, metric: string) {
  return cells.find((cell) => cell.name === name && cell.metric === metric)!.series;
}

describe('a history', () => {
  it('has a point for each run and cell, as the samples say', async () => {
    const { history: found } = await history(
      3,
      (index) => ({ milliseconds: 10 + index, mebibytes: 20, right: 150 }),
      0,
    );
    expect(found.cells.map(({ name, metric }) => [name, metric])).toEqual([
      ['fp32 · batch 8', 'latency'],
      ['int8 · batch 8', 'latency'],
      ['fp32 · batch 8', 'memory'],
      ['int8 · batch 8', 'memory'],
      ['fp32', 'accuracy'],
      ['fp32', 'file'],
    ]);
    expect(found.cells.at(-1)!.series[0]!.points.map(({ estimate }) => estimate.value)).toEqual([
      1000, 1000, 1000,
    ]);
    const values = (name: string, metric: string): number[] =>
      seriesOf(found, name, metric).flatMap(({ points }) => points.map(({ estimate }) => estimate.value));
    for (const [index, value] of values('fp32 · batch 8', 'latency').entries())
      expect(value).toBeCloseTo(10 + index, 9);
    for (const [index, value] of values('int8 · batch 8', 'latency').entries())
      expect(value).toBeCloseTo(5 + index / 2, 9);
    for (const value of values('fp32 · batch 8', 'memory')) expect(value).toBeCloseTo(20 * 2 ** 20, 3);
    expect(values('fp32', 'accuracy')).toEqual([0.75, 0.75, 0.75]);
  });

  it('stands in the order of commits, and of beginning where there is no other', async () => {
    const committed = ['2026-03-03', '2026-01-01', null, '2026-01-01'].map((day) =>
      day === null ? null : { committedAt: `${day}T00:00:00.000Z` },
    );
    const { history: found } = await history(4, (index) => ({
      milliseconds: 10,
      repository: committed[index]!,
    }));
    // The third run, of which nobody knows the commit, began on the third of January.
    expect(found.runs.map(({ id }) => id)).toEqual([runOf(1), runOf(3), runOf(2), runOf(0)]);
  });

  it('finds a slow-down of 5 % in the commits that brought it', async () => {
    const { history: found, findings } = await history(40, (index) => ({
      milliseconds: index < 26 ? 10 : 10.5,
    }));
    expect(findings.regressions).toHaveLength(2);
    for (const { change, cell } of findings.regressions) {
      expect(cell.metric).toBe('latency');
      expect(change.size.value).toBeCloseTo(0.05, 1);
      expect(change.size.low).toBeLessThan(0.05);
      expect(change.size.high).toBeGreaterThan(0.05);
      expect(change.lastBefore.repository!.commit).toBe(commitOf(25));
      expect(change.firstAfter.repository!.commit).toBe(commitOf(26));
    }
    expect(findings.worseNow.map(({ name }) => name)).toEqual(['fp32 · batch 8', 'int8 · batch 8']);
    expect(findings.improvements).toEqual([]);
    expect(findings.slow).toEqual([]);
    expect(historyText(found)).toMatch(
      /Regressions\n {2}fp32 · batch 8, latency: \d\.\d % slower .* in 0000026cc\.\.0000027cc/,
    );
  });

  it('tells an improvement, and is not worse after it', async () => {
    const { findings } = await history(30, (index) => ({
      milliseconds: index < 10 ? 10 : index < 20 ? 11 : 9.5,
    }));
    expect(findings.regressions).toHaveLength(2);
    expect(findings.improvements).toHaveLength(2);
    expect(findings.worseNow).toEqual([]);
  });

  it('finds memory that grows, too', async () => {
    const { findings } = await history(20, (index) => ({
      milliseconds: 10,
      mebibytes: index < 12 ? 20 : 21,
    }));
    expect(findings.regressions.map(({ cell }) => cell.metric)).toEqual(['memory', 'memory']);
    expect(findings.regressions[0]!.change.size.value).toBeCloseTo(0.05, 9);
  });

  it('finds a slow drift although each step is far below the threshold', async () => {
    const { history: found, findings } = await history(40, (index) => ({
      milliseconds: 10 * 1.004 ** index,
    }));
    expect(findings.slow.map(({ cell }) => cell.name)).toEqual(['fp32 · batch 8', 'int8 · batch 8']);
    for (const { slow } of findings.slow) {
      expect(slow.direction).toBe('worse');
      expect(slow.size).toBeGreaterThan(0.02);
      expect(slow.p).toBeLessThan(1e-6);
    }
    expect(findings.worseNow).toHaveLength(2);
    expect(historyText(found)).toMatch(
      /Slow changes\n {2}fp32 · batch 8, latency: .* over 40 runs \(p < 0\.001\)/,
    );
  });

  it('takes one run that is off for no regression, neither in the middle nor at the end', async () => {
    const { findings } = await history(30, (index) => ({
      milliseconds: index === 14 || index === 29 ? 13 : 10,
    }));
    expect(findings.regressions).toEqual([]);
    expect(findings.worseNow).toEqual([]);
    // Whether it stands out at all depends on the noise of the others.
    expect(findings.open.length).toBeGreaterThan(0);
    for (const { change } of findings.open)
      expect([change.firstAfter.id, change.doubt]).toEqual([runOf(29), 'one run only']);
  });

  it('begins a series of its own on another machine, which is no regression', async () => {
    const { history: found, findings } = await history(24, (index) =>
      index < 12 ? { milliseconds: 10 } : { milliseconds: 14, processor: 'another processor', threads: 1 },
    );
    expect(findings.regressions).toEqual([]);
    expect(findings.worseNow).toEqual([]);
    const [before, after] = seriesOf(found, 'fp32 · batch 8', 'latency');
    expect([before!.points.length, before!.current]).toEqual([12, false]);
    expect([after!.points.length, after!.current]).toEqual([12, true]);
    expect(found.breaks).toHaveLength(1);
    expect(found.breaks[0]!.run.id).toBe(runOf(12));
    expect(found.breaks[0]!.differences).toEqual([
      { name: 'processor', before: 'a processor', after: 'another processor' },
      { name: 'threads', before: '2', after: '1' },
    ]);
    expect(historyText(found)).toContain('processor a processor → another processor; threads 2 → 1');
  });

  it.each<[what: string, environment: Partial<Environment>]>([
    ['usable processors', { cpu: { ...cpu, usable: { processors: 2, cores: 1, quota: null } } }],
    ['usable processors', { cpu: { ...cpu, usable: { processors: 4, cores: 2, quota: 2 } } }],
    ['virtual machine', { virtual: true, hypervisor: 'KVM' }],
    ['virtual machine', { emulated: true }],
    ['instruction sets', { cpu: { ...cpu, features: ['avx2', 'avx512_vnni'] } }],
    ['frequency governor', { cpu: { ...cpu, governor: 'powersave' } }],
  ])('begins a series of its own when the machine has other %s: %j', async (what, environment) => {
    const { history: found, findings } = await history(24, (index) =>
      index < 12 ? { milliseconds: 10 } : { milliseconds: 14, environment },
    );
    expect(findings.regressions).toEqual([]);
    expect(found.breaks).toHaveLength(1);
    expect(found.breaks[0]!.differences.map(({ name }) => name)).toEqual([what]);
  });

  it('begins a series of peaks, and of nothing else, where these are known by other means', async () => {
    const { history: found, findings } = await history(24, (index) =>
      index < 12
        ? { milliseconds: 10, mebibytes: 20 }
        : { milliseconds: 10, mebibytes: 40, memoryMeans: 'vmhwm-of-process' },
    );
    expect(findings.regressions).toEqual([]);
    expect(seriesOf(found, 'fp32 · batch 8', 'memory').map(({ points }) => points.length)).toEqual([12, 12]);
    expect(seriesOf(found, 'fp32 · batch 8', 'latency')).toHaveLength(1);
    expect(found.breaks).toHaveLength(1);
    expect(found.breaks[0]).toMatchObject({
      run: { id: runOf(12) },
      differences: [{ before: 'vmhwm-of-phase', after: 'vmhwm-of-process' }],
    });
  });

  it('begins a series of its own with another browser, which is no regression', async () => {
    const of = (product: string) => ({ browser: { product, userAgent: '', flags: [] } });
    const { history: found, findings } = await history(24, (index) =>
      index < 12
        ? { milliseconds: 10, environment: of('Chrome/141.0') }
        : { milliseconds: 14, environment: of('Chrome/142.0') },
    );
    expect(findings.regressions).toEqual([]);
    expect(found.breaks.map(({ differences }) => differences)).toEqual([
      [{ name: 'browser', before: 'Chrome/141.0', after: 'Chrome/142.0' }],
    ]);
  });

  it('sees a slow-down through runs that lie on two machines in turn', async () => {
    const { history: found, findings } = await history(40, (index) => ({
      milliseconds: (index % 2 === 0 ? 10 : 14) * (index < 20 ? 1 : 1.08),
      processor: index % 2 === 0 ? 'one' : 'two',
    }));
    expect(found.breaks).toHaveLength(1);
    expect(findings.regressions).toHaveLength(4);
    const ranges = findings.regressions.map(({ change }) => [change.lastBefore.id, change.firstAfter.id]);
    expect(ranges).toContainEqual([runOf(18), runOf(20)]);
    expect(ranges).toContainEqual([runOf(19), runOf(21)]);
  });

  it('does not lay a change between two runs of one commit to the code', async () => {
    const { findings } = await history(20, (index) => ({
      milliseconds: index < 10 ? 10 : 12,
      repository: { commit: commitOf(0) },
    }));
    expect(findings.regressions).toEqual([]);
    expect(findings.open.map(({ change }) => change.doubt)).toEqual(['same commit', 'same commit']);
  });

  it('compares accuracies on the same images: three points are lost, one image is not', async () => {
    const lost = await history(20, (index) => ({ milliseconds: 10, right: index < 10 ? 160 : 146 }));
    expect(lost.findings.regressions).toHaveLength(1);
    const { change } = lost.findings.regressions[0]!;
    expect(change.size.value).toBeCloseTo(-14 / IMAGES, 9);
    expect(change.size.low).toBeLessThan(-14 / IMAGES);
    expect(change.size.high).toBeLessThan(0);
    await db.deleteFrom('runs').execute();
    const same = await history(20, (index) => ({ milliseconds: 10, right: index < 10 ? 160 : 159 }));
    expect(same.findings.regressions).toEqual([]);
    expect(same.findings.others).toBeGreaterThan(0);
  });

  it('finds what a single commit lost and the next one brought back, of figures without noise', async () => {
    const once = (index: number) => index === 10;
    const lost = await history(20, (index) => ({ milliseconds: 10, right: once(index) ? 145 : 196 }));
    const accuracies = (findings: typeof lost.findings.regressions) =>
      findings.filter(({ cell }) => cell.metric === 'accuracy');
    expect(accuracies(lost.findings.regressions)).toHaveLength(1);
    const { change } = lost.findings.regressions[0]!;
    expect(change.size.value).toBeCloseTo(-51 / IMAGES, 9);
    expect([change.lastBefore.id, change.firstAfter.id]).toEqual([runOf(9), runOf(10)]);
    expect(accuracies(lost.findings.improvements)).toHaveLength(1);
    expect(lost.findings.worseNow).toEqual([]);
    await db.deleteFrom('runs').execute();
    const grown = await history(20, (index) => ({ milliseconds: 10, fileBytes: once(index) ? 3000 : 1000 }));
    const [larger] = grown.findings.regressions.filter(({ cell }) => cell.metric === 'file');
    for (const end of Object.values(larger!.change.size)) expect(end).toBeCloseTo(2, 9);
  });

  it('fails at once on the newest commit where nothing is left to chance', async () => {
    const { findings } = await history(12, (index) => ({ milliseconds: 10, right: index < 11 ? 196 : 145 }));
    expect(findings.worseNow.map(({ metric }) => metric)).toEqual(['accuracy']);
    await db.deleteFrom('runs').execute();
    const fewer = await history(12, (index) => ({ milliseconds: 10, fileBytes: index < 11 ? 1000 : 1021 }));
    expect(fewer.findings.worseNow.every(({ metric }) => metric === 'file')).toBe(true);
    expect(fewer.findings.worseNow).toHaveLength(1);
  });

  it('follows the features of models without a head: their cosines to fp32, and the top-1 of the vote', async () => {
    const { history: found, findings } = await history(20, (index) => ({
      ...{ milliseconds: 10, right: 160 },
      features: { cosine: index < 10 ? 0.98 : 0.97, images: 500 },
    }));
    const [series] = seriesOf(found, 'int8', 'cosine');
    expect(series!.points).toHaveLength(20);
    for (const [index, { estimate }] of series!.points.entries())
      expect(estimate.value).toBeCloseTo(index < 10 ? 0.98 : 0.97, 4);
    expect(seriesOf(found, 'fp32', 'accuracy')[0]!.points[0]!.estimate.value).toBe(0.8);
    // fp32 is not held against itself.
    expect(found.cells.filter(({ metric }) => metric === 'cosine').map(({ name }) => name)).toEqual(['int8']);
    const [lost, ...others] = findings.regressions;
    expect(others).toEqual([]);
    expect([lost!.cell.metric, lost!.change.firstAfter.id]).toEqual(['cosine', runOf(10)]);
    const { size } = lost!.change;
    for (const end of [size.low, size.value, size.high]) expect(end).toBeCloseTo(-0.01, 4);
    expect(historyText(found)).toMatch(/int8, cosine to fp32: 0\.01000 lower .* 0\.98000 → 0\.97000/);
  });

  it('leaves cosines alone that moved by less than counts', async () => {
    const { findings } = await history(12, (index) => ({
      milliseconds: 10,
      features: { cosine: index < 6 ? 0.98 : 0.9795, images: 500 },
    }));
    expect(findings.regressions).toEqual([]);
    expect(findings.worseNow).toEqual([]);
  });

  it('begins a series of scores where neighbours vote among other images, however many were asked for', async () => {
    const { history: found, findings } = await history(24, (index) => ({
      ...{ milliseconds: 10, right: index < 12 ? 160 : 150 },
      features: { cosine: 0.98, images: index < 12 ? 500 : 400, asked: index % 2 === 0 ? 5000 : undefined },
    }));
    expect(findings.regressions).toEqual([]);
    expect(seriesOf(found, 'fp32', 'accuracy').map(({ points }) => points.length)).toEqual([12, 12]);
    expect(found.breaks).toHaveLength(1);
    const [difference] = found.breaks[0]!.differences;
    expect(difference!.before).toContain('500 training images');
    expect(difference!.after).toContain('400 training images');
  });

  it('does not hold answers to some images against those to others', async () => {
    const { history: found, findings } = await history(24, (index) => ({
      ...{ milliseconds: 10, right: 100 },
      ...(index < 12 && { images: IMAGES / 2 }),
    }));
    expect(findings.regressions).toEqual([]);
    expect(found.breaks.map(({ differences }) => differences)).toEqual([
      [{ name: 'test images', before: String(IMAGES / 2), after: String(IMAGES) }],
    ]);
  });

  it('is told to programs whole', async () => {
    const { history: found } = await history(12, (index) => ({ milliseconds: index < 6 ? 10 : 12 }));
    const document = JSON.parse(JSON.stringify(historyDocument(found))) as ReturnType<typeof historyDocument>;
    const cell = document.cells.find(
      ({ name, metric }) => name === 'fp32 · batch 8' && metric === 'latency',
    )!;
    expect(cell).toMatchObject({ model: 'micro', recipe: 'fp32', device: 'here', batch: 8, worseNow: true });
    expect(cell.series[0]!.points).toHaveLength(12);
    expect(cell.series[0]!.changes).toMatchObject([
      { direction: 'worse', lastBefore: runOf(5), firstAfter: runOf(6), runs: 6, doubt: null },
    ]);
    expect(document.runs[0]!.repository!.commit).toBe(commitOf(0));
  });
});

describe('false alarms', () => {
  const thresholds = { ratio: 0.02, accuracy: 0.003, cosine: 0.001 };

  /** A flat history with a noise, from run to run and within a run. */
  const flat = (length: number, noise: number, normal: () => number): HistoryPoint[] =>
    Array.from({ length }, (_, index) => {
      const value = 10 * Math.exp(noise * normal());
      return {
        run: { id: String(index), startedAt: '2026-01-01T00:00:00.000Z', repository: null },
        ...{ setting: new Map(), stages: '', right: undefined, cosines: undefined },
        estimate: { value, low: value * (1 - noise), high: value * (1 + noise) },
      };
    });

  it.each([
    [10, 0.01],
    [40, 0.01],
    [10, 0.03],
    [40, 0.03],
  ])('of %i flat runs with a noise of %f are rare', (length, noise) => {
    const steps = shareOf(500, 11, (random) =>
      changesOf(
        flat(length, noise, () => random.normal()),
        'latency',
        thresholds,
      ).changes.some(({ doubt }) => doubt === undefined),
    );
    expect(steps).toBeLessThan(0.02);
    // Mann–Kendall at 0.05, before Holm's correction over the series of a suite.
    const slow = shareOf(
      500,
      12,
      (random) =>
        changesOf(
          flat(length, noise, () => random.normal()),
          'latency',
          thresholds,
        ).slow !== undefined,
    );
    expect(slow).toBeLessThan(0.08);
  });
});
