import { expect, it } from 'vitest';
import type { MergeTokensReport } from '../../src/compress/merge-tokens/stage.js';
import { mergeTokensText } from '../../src/report/html/sections/stages.js';
import { stageLine } from '../../src/report/stage-line.js';
import { stageSummaries, type StageSummary } from '../../src/report/stages.js';

const report: MergeTokensReport = {
  images: 128,
  blocks: [
    { layer: 0, before: 65, after: 59 },
    { layer: 1, before: 59, after: 30 },
  ],
  multiplications: { before: 3000, after: 2000 },
  schedules: [
    { slope: 0, merges: [6, 29], error: 0.015, agreement: 0.9921875 },
    { slope: -1, merges: [12, 26], error: 0.02, agreement: 0.9765625 },
  ],
};

const summaryOf = (stored: unknown): StageSummary =>
  stageSummaries([{ stage: 'merge-tokens', options: {}, report: stored }])[0]!;

it('a merge-tokens stage is told on one line', () => {
  expect(stageLine(summaryOf(report))).toBe(
    '30 of 65 tokens left, 1.50 times fewer multiplications, 99.2 % of held-out images keep their class',
  );
});

it('a merge-tokens stage is shown with its blocks and the schedules that were tried', () => {
  const { own } = summaryOf(report);
  if (own.kind !== 'merge-tokens') throw new Error(`shown as ${own.kind}`);
  const page = mergeTokensText(own.report)
    .text.replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
  for (const text of [
    'of 65 tokens 30 are left',
    '1.50 times fewer',
    'Of 2 schedules',
    '6 29',
    '12 26',
    '97.66 %',
  ])
    expect(page).toContain(text);
  const alone = { ...own.report, schedules: own.report.schedules.slice(0, 1) };
  expect(mergeTokensText(alone).text).not.toContain('every schedule');
});

it('a merge-tokens stage in a form that is not known is no fault', () => {
  expect(summaryOf({ blocks: [] }).own).toEqual({ kind: 'other' });
});
