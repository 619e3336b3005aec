import { create } from 'xmlbuilder2';
import { oneLine } from '../../../text/format.js';
import type { Compared } from '../../../analysis/compare/compare.js';
import { metrics, type Metric } from '../../../base/metric.js';
import { subjectLabel } from '../../../text/compare/label.js';
import { gateSentence } from '../../../text/compare/summary.js';
import { inWords, metricNames, quantity } from '../../../text/compare/words.js';
import type { ComparisonReport } from '../../../analysis/compare/gates.js';
import type { ComparisonExporter } from './exporter.js';
import type { GateResult } from '../../../analysis/compare/gates.js';

/**
 * JUnit's XML, as CI systems read it: a suite for each metric, a test for each figure, a failure for each broken gate. What a
 * gate could not decide is skipped, as it is neither right nor wrong.
 */
export const junitExporter: ComparisonExporter = {
  name: 'junit',
  render: (report) => {
    const suites = metrics.map((metric) => ({ metric, tests: testsOf(metric, report) }));
    const filled = suites.filter(({ tests }) => tests.length > 0);
    const all = filled.flatMap(({ tests }) => tests);
    const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
      name: `EdgeFlex: ${text(report.comparison.run.row.suite)}`,
      ...totals(all),
    });
    for (const { metric, tests } of filled) {
      const suite = root.ele('testsuite', {
        name: metricNames[metric],
        timestamp: report.comparison.run.row.started_at.slice(0, 19),
        ...totals(tests),
      });
      for (const { name, result, message, details } of tests) {
        const test = suite.ele('testcase', { name, classname: `edgeflex.${metric}` });
        if (result === 'failure') test.ele('failure', { message, type: 'gate' }).txt(details);
        else if (result === 'skipped') test.ele('skipped', { message });
        else test.ele('system-out').txt(details);
      }
    }
    return `${root.end({ prettyPrint: true })}\n`;
  },
};

interface Test {
  readonly name: string;
  readonly result: 'passed' | 'failure' | 'skipped';
  readonly message: string;
  readonly details: string;
}

const results: Readonly<Record<GateResult['outcome'], Test['result']>> = {
  held: 'passed',
  broken: 'failure',
  'cannot tell': 'skipped',
  'not judged': 'skipped',
};

/** The figures of a metric, and what its gate found where there is no figure. */
function testsOf(metric: Metric, report: ComparisonReport): Test[] {
  const { comparison, gates } = report;
  const own = gates.filter(({ gate }) => gate.metric === metric);
  const figures = comparison.compared.filter(({ judgement }) => judgement.metric === metric);
  const tests = figures.map((each): Test => {
    const gate = own.find(({ subject }) => subject === each.subject);
    return {
      name: text(subjectLabel(each.subject, comparison)),
      result: gate ? results[gate.outcome] : 'passed',
      message: gate ? text(gateSentence(gate, report)) : '',
      details: text(detailsOf(each)),
    };
  });
  const elsewhere = own.filter(({ subject }) => !figures.some((each) => each.subject === subject));
  return [
    ...tests,
    ...elsewhere.map((gate): Test => {
      const message = text(gateSentence(gate, report));
      const name = gate.subject ? text(subjectLabel(gate.subject, comparison)) : 'any figure';
      return { name, result: results[gate.outcome], message, details: message };
    }),
  ];
}

function detailsOf({ judgement }: Compared): string {
  const { metric, reference, value } = judgement;
  return `${quantity(metric, reference)} → ${quantity(metric, value)}: ${inWords(judgement)}`;
}

function totals(tests: readonly Test[]): Record<string, number> {
  const count = (result: Test['result']): number => tests.filter((test) => test.result === result).length;
  return { tests: tests.length, failures: count('failure'), errors: 0, skipped: count('skipped') };
}

/** A text without what XML 1.0 cannot hold: controls, halves of surrogate pairs, and the two that are no characters. */
function text(words: string): string {
  return oneLine(words).replace(/[\p{Cs}\uFFFE\uFFFF]/gu, '');
}
