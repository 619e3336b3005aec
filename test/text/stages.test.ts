import { expect, it } from 'vitest';
import { stageContent } from '../../src/report/html/sections/stages.js';
import { stageLine } from '../../src/text/stage-line.js';
import { stageSummaries, type StageSummary } from '../../src/analysis/stages.js';

const report = {
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

it('a stage that older versions stored without facts is told on one line with its figures', () => {
  const line = stageLine(summaryOf(report));
  for (const figure of ['30 of 65', '1.50×', '99.2 %', '128']) expect(line).toContain(figure);
});

it('a stage is shown with its tables and what was tried', () => {
  const { facts } = summaryOf(report);
  const textOf = (of: NonNullable<typeof facts>): string => stageContent(of).text.replace(/\s+/g, ' ');
  const page = textOf(facts!);
  for (const figure of ['30 of 65', '1.50×', '6 29', '12 26', '97.7 %']) expect(page).toContain(figure);
  const alone = summaryOf({ ...report, schedules: report.schedules.slice(0, 1) });
  expect(textOf(alone.facts!)).not.toContain('12 26');
});

it('facts that were stored are shown as they are, of a stage that is not known here, too', () => {
  const facts = {
    headline: [{ label: 'cats', value: 3, of: 4, unit: 'count' }],
    tables: [{ title: 'of each', columns: [{ title: 'cat', unit: 'name' }], rows: [['Tom']] }],
    pictures: [],
    traits: [],
  };
  const [stage] = stageSummaries([{ stage: 'count-cats', options: {}, report: {}, facts }]);
  expect(stageLine(stage!)).toBe('cats: 3 of 4');
  expect(stageContent(stage!.facts!).text).toContain('Tom');
});

it('a stage in a form that is not known is no fault', () => {
  expect(summaryOf({ blocks: [] }).facts).toBeUndefined();
  expect(stageSummaries([{ stage: 'of-tomorrow', report: 1 }])[0]!.facts).toBeUndefined();
});
