import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../src/analysis/compare/compare.js';
import { samplesByRound } from '../../src/analysis/figures/latency.js';
import { peaksByRound } from '../../src/analysis/figures/memory.js';
import { historyMetrics, pointsOf } from '../../src/analysis/history/points.js';
import { observe } from '../../src/analysis/procure/observe.js';
import { reportDocument } from '../../src/report/document.js';
import { checkTarget } from '../../src/search/target-check.js';
import { lossOf } from '../../src/compress/loss.js';
import { parseTarget } from '../../src/search/target.js';
import { isBaseline } from '../../src/suite/baseline.js';
import { useFolder } from '../support/folder.js';
import { figuresOf, storedExample } from './support/stored.js';

const folder = useFolder();
const MODEL = 'vit-drawn';

describe('a figure is one number, whoever tells it', () => {
  it.each([
    ['fp32', 1],
    ['int8', 1],
    ['int8', 8],
    ['pruned', 1],
  ] as const)('of %s at batch %i', async (recipe, batch) => {
    const { analysis } = await storedExample(folder('results.sqlite'), { smooth: true });
    const { run } = analysis;
    const results = reportDocument(analysis).results.filter(({ model }) => model === MODEL);
    const own = results.find((each) => each.recipe === recipe)!;
    const timing = own.performance.find((each) => each.batch === batch)!;
    const expected = {
      latency: timing.medianMilliseconds.value,
      memory: timing.memory!.peak,
      accuracy: own.accuracy!.top1!.value,
      file: own.fileBytes,
    };
    expect(results.filter(({ isBaseline: is }) => is).map((each) => each.recipe)).toEqual(['fp32']);
    expect(own.isBaseline).toBe(isBaseline(recipe));

    const ofCell = (
      metric: string,
      cell: { model: string; recipe: string; batch?: number | undefined },
    ): boolean =>
      cell.model === MODEL &&
      cell.recipe === recipe &&
      (metric === 'accuracy' || metric === 'file' || cell.batch === batch);
    const { compared } = compareRuns(run, run, { floors: [], p90: false, force: false });
    const told = compared.filter(({ subject, judgement }) => ofCell(judgement.metric, subject));
    for (const metric of ['latency', 'memory', 'accuracy', 'file'] as const) {
      const { reference, value } = told.find(({ judgement }) => judgement.metric === metric)!.judgement;
      expect([reference, value], `compare: ${metric}`).toEqual([expected[metric], expected[metric]]);
    }

    const points = pointsOf(run, historyMetrics).filter(({ cell, metric }) => ofCell(metric, cell));
    const history = Object.fromEntries(points.map(({ metric, point }) => [metric, point.estimate.value]));
    expect(history).toEqual(expected);

    const { observations } = observe(run, { batch, quantile: 0.5 });
    const seen = observations[analysis.figures.indexOf(figuresOf(analysis, recipe))]!;
    expect({
      latency: seen.timed!.latency.value,
      memory: seen.timed!.memory!.value,
      accuracy: seen.top1!.value,
      file: expected.file,
    }).toEqual(expected);
    expect(seen.timed!.throughput).toEqual(timing.throughputImagesPerSecond);

    const cellsOf = (name: string) => {
      const cell = run.cells.find(
        ({ row, variant }) =>
          row.kind === 'performance' &&
          row.batch === batch &&
          variant.model === MODEL &&
          variant.recipe === name,
      )!;
      return { latencies: samplesByRound(cell), peaks: peaksByRound(cell) };
    };
    const measured = {
      own: cellsOf(recipe),
      fp32: cellsOf('fp32'),
      loss: lossOf('accuracy', Uint16Array.of(1), Uint16Array.of(1), Uint16Array.of(1)),
    };
    const estimated = (target: string): number =>
      checkTarget(parseTarget(target), measured)[0]!.estimate.value;
    expect([estimated('latency=999s'), estimated('memory=999GiB')]).toEqual([
      expected.latency,
      expected.memory,
    ]);
    if (recipe !== 'fp32') {
      expect(estimated('latency=2x')).toBe(timing.speedup!.value);
      expect(1 - estimated('memory=-1%')).toBe(timing.memory!.reduction);
    }
  });
});
