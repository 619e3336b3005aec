import { gateReasonText } from './gates.js';
import { obstacleText } from './obstacles.js';
import { objectionNotes } from '../flag-notes.js';
import type { Compared, Uncompared } from '../../analysis/compare/compare.js';
import type { ComparisonReport } from '../../analysis/compare/gates.js';
import { gateName } from '../../base/gate.js';
import { groupBy } from '../../base/group-by.js';
import type { GateResult } from '../../analysis/compare/gates.js';
import { isWorse } from '../../analysis/compare/judge.js';
import { subjectLabel } from './label.js';
import { inWords, metricNames } from './words.js';

/**
 * What came out, in one sentence.
 *
 * @param report - of a comparison
 */
export function headline({ comparison, gates }: ComparisonReport): string {
  const { compared } = comparison;
  const count = (holds: (each: Compared) => boolean): number => compared.filter(holds).length;
  const worse = count(isChange('worse'));
  const better = count(isChange('better'));
  const broken = gates.filter(({ outcome }) => outcome === 'broken').length;
  const parts = [
    `${worse} of ${compared.length} figures changed for the worse`,
    `${better} for the better`,
    `${compared.length - worse - better} not distinguishable`,
  ];
  if (gates.length > 0)
    parts.push(
      broken === 0 ? 'no gate failed' : `gates failed in ${broken} ${broken === 1 ? 'place' : 'places'}`,
    );
  return `${parts.join(', ')}.`;
}

/**
 * Whether something changed, and in which direction.
 *
 * @param direction - for the worse or for the better
 */
export function isChange(direction: 'worse' | 'better'): (each: Compared) => boolean {
  return ({ judgement: { metric, change, verdict } }) =>
    verdict !== 'not distinguishable' && isWorse(metric, change.value) === (direction === 'worse');
}

/** A change as a sentence: `int8, batch 8: latency 3.1 % slower (2.4 to 3.8 %)`. */
export function changeSentence({ subject, judgement }: Compared, { comparison }: ComparisonReport): string {
  return `${subjectLabel(subject, comparison)}: ${metricNames[judgement.metric]} ${inWords(judgement)}`;
}

/** What a gate found, as a sentence: `latency:2% failed: int8, batch 8: 3.1 % slower (2.4 to 3.8 %)`. */
export function gateSentence(result: GateResult, report: ComparisonReport): string {
  return sentenceOf([result], result, report);
}

/** What gates that did not hold found: one sentence for all places in which the same was found for the same reason. */
export interface OpenGates {
  readonly outcome: GateResult['outcome'];
  readonly text: string;
}

/**
 * What the gates found that did not hold, those that failed first.
 *
 * @param report - of a comparison
 */
export function openGates(report: ComparisonReport): OpenGates[] {
  const those = (outcome: GateResult['outcome']): GateResult[] =>
    report.gates.filter((each) => each.outcome === outcome);
  const open = [...those('broken'), ...those('cannot tell'), ...those('not judged')];
  const alike = groupBy(open, ({ gate, outcome, because }) =>
    [gateName(gate), outcome, gateReasonText(because)].join('\n'),
  );
  return [...alike.values()].flatMap((results) => {
    const [first] = results;
    return first ? [{ outcome: first.outcome, text: sentenceOf(results, first, report) }] : [];
  });
}

const OUTCOMES: Readonly<Record<GateResult['outcome'], string>> = {
  held: 'passed',
  broken: 'failed',
  'cannot tell': 'could not be decided',
  'not judged': 'was not judged',
};

function sentenceOf(
  results: readonly GateResult[],
  { gate, outcome, because }: GateResult,
  { comparison }: ComparisonReport,
): string {
  const places = results.flatMap(({ subject }) => subject ?? []);
  const where = places.map((subject) => subjectLabel(subject, comparison)).join('; ');
  return `${gateName(gate)} ${OUTCOMES[outcome]}: ${where === '' ? '' : `${where}: `}${gateReasonText(because)}`;
}

/**
 * What could not be compared, one sentence for each reason.
 *
 * @param report - of a comparison
 */
export function uncomparedSentences({ comparison }: ComparisonReport): string[] {
  const key = ({ obstacle, metrics }: Uncompared): string =>
    `${metrics.map((each) => metricNames[each]).join(', ')}: ${obstacleText(obstacle)}`;
  const reasons = new Map<string, string[]>();
  for (const each of comparison.uncompared) {
    const labels = reasons.get(key(each)) ?? [];
    labels.push(subjectLabel(each.subject, comparison));
    reasons.set(key(each), labels);
  }
  return [...reasons].map(([why, labels]) => `Not compared: ${labels.join('; ')}. ${why}.`);
}

/**
 * What speaks against cells that were compared, one sentence for each; what is said of several is said once.
 *
 * @param report - of a comparison
 */
export function doubtSentences({ comparison }: ComparisonReport): string[] {
  type Doubt = (typeof comparison.doubts)[number];
  const nameOf = ({ subject }: Doubt): string => subjectLabel(subject, comparison);
  const runOf = ({ of }: Doubt): string => (of === 'new' ? 'in the new run' : 'in the reference');
  return objectionNotes(
    comparison.doubts,
    (doubt) => `${nameOf(doubt)}, ${runOf(doubt)}`,
    (several) => {
      const runs = [...groupBy(several, nameOf)].map(([name, own]) => ({
        name,
        where: own.length > 1 ? 'in both runs' : own.map(runOf).join(''),
      }));
      return [...groupBy(runs, ({ where }) => where)]
        .map(([where, own]) => `${own.map(({ name }) => name).join('; ')}, ${where}`)
        .join('; ');
    },
  );
}
