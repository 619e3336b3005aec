import { judgementOf, type Analysis, type VariantFigures } from '../analysis/analysis.js';
import { answersOf, type Answer, type Exceptions, type Gain, type NamedCell } from '../analysis/answers.js';
import { deviceLabel, recipeLabel } from '../analysis/label.js';
import { wrapped } from '../base/wrap.js';
import * as format from './format.js';
import { joinedByAnd, listed } from './listed.js';

/** A question that a run answers, and its answers. */
export interface AnsweredQuestion {
  readonly question: string;
  /** A sentence for each model and device. */
  readonly answers: readonly string[];
}

/**
 * What a run says in three questions: what compression gained, what it cost in accuracy, and where that does not hold.
 *
 * @param analysis - of a run
 * @returns none where the run compressed nothing
 */
export function answeredQuestions(analysis: Analysis): AnsweredQuestion[] {
  const answers = answersOf(analysis);
  if (answers.length === 0) return [];
  const models = new Set(answers.map(({ model }) => model)).size > 1;
  const devices = analysis.run.devices.length > 1;
  const told = (question: string, text: (answer: Answer) => string): AnsweredQuestion => ({
    question,
    answers: answers.map((answer) => {
      const of = [
        ...(models ? [answer.model] : []),
        ...(devices || answer.emulated ? [placeOf(answer)] : []),
      ].join(' on ');
      return of === '' ? `${capitalised(text(answer), answer)}.` : `${of}: ${text(answer)}.`;
    }),
  });
  return [
    told('What did compression gain?', gainText),
    told('What did it cost in accuracy?', lossText),
    told('Where does this not hold?', (answer) => exceptionsText(answer, analysis)),
  ];
}

/** Of answers below their question. */
const INDENT = '  ';

/**
 * The answers of a run for a terminal, each below its question.
 *
 * @param analysis - of a run
 * @param width - of the terminal in characters
 * @returns one text; none where nothing was compressed
 */
export function answersText(analysis: Analysis, width = Infinity): string[] {
  const lines = answeredQuestions(analysis).flatMap(({ question, answers }) => [
    question,
    ...answers.flatMap((answer) =>
      wrapped(format.oneLine(answer), width - INDENT.length).map((line) => INDENT + line),
    ),
  ]);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** A sentence's first letter is a capital, unless it is that of a variant's name. */
function capitalised(text: string, { fastest, smallest, losses }: Answer): string {
  const named = [fastest?.figures, smallest?.figures, ...losses].some(
    (figures) => figures !== undefined && text.startsWith(`${recipeLabel(figures.variant)} `),
  );
  return named ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function placeOf({ device, emulated }: Answer): string {
  const name = deviceLabel(device);
  return emulated && !name.includes('(') ? `${name} (emulated)` : name;
}

function gainText(answer: Answer): string {
  const { fastest, smallest, compared } = answer;
  if (compared === 0) return 'nothing is known yet, because no compressed variant has been timed';
  if (fastest !== undefined && smallest !== undefined)
    return fastest.figures === smallest.figures
      ? `${nameOf(fastest)} ${speedText(fastest)} and ${memoryText(smallest)}`
      : `${nameOf(fastest)} ${speedText(fastest)}, and ${nameOf(smallest)} ${memoryText(smallest)}`;
  if (fastest !== undefined) return `${nameOf(fastest)} ${speedText(fastest)}; ${noMemoryText(answer)}`;
  if (smallest !== undefined) return `${nameOf(smallest)} ${memoryText(smallest)}; ${noSpeedText(answer)}`;
  if (answer.hasOneRound) return 'nothing is decided, because that takes at least two rounds';
  return `nothing measurable: ${noSpeedText(answer)}, and ${noMemoryText(answer)}`;
}

function noSpeedText({ judgesSpeed }: Answer): string {
  return judgesSpeed
    ? 'no variant is distinguishably faster than fp32'
    : 'speed is not decided, because other processes disturbed the rounds';
}

function noMemoryText({ tellsMemory }: Answer): string {
  return tellsMemory ? 'no variant needs distinguishably less peak memory' : 'peak memory is not known';
}

function nameOf({ figures }: Gain): string {
  return recipeLabel(figures.variant);
}

function speedText({ latency: { batch, speedup } }: Gain): string {
  if (speedup === undefined) return `is faster at batch ${batch}`;
  const { value, low, high } = speedup;
  return (
    `is ${format.ratio(value)} times as fast as fp32 at batch ${batch} ` +
    `(95 %: ${format.ratio(low)} to ${format.ratio(high)})`
  );
}

function memoryText({ latency: { batch, memory }, judgement }: Gain): string {
  const { low, high } = judgement.change;
  const share = format.percent(memory?.reduction ?? -judgement.change.value);
  const interval = low === high ? '' : ` (95 %: ${format.percent(-high)} to ${format.percent(-low)} %)`;
  return `needs ${share} % less peak memory at batch ${batch}${interval}`;
}

function lossText({ losses, hasOneRound }: Answer): string {
  if (losses.length === 0)
    return `${hasOneRound ? 'no gain is decided' : 'nothing was gained'}, so there is no loss to weigh against it`;
  return losses.map((figures) => `${recipeLabel(figures.variant)} ${scoreText(figures)}`).join('; ');
}

function scoreText(figures: VariantFigures): string {
  const { accuracy, features } = figures;
  const judgement = judgementOf(figures, 'accuracy');
  if (accuracy?.top1 && judgement !== undefined) {
    const { value, low, high } = judgement.change;
    if (low === high)
      return (
        `has a top-1 of ${format.percent(accuracy.top1.value, 2)} %, like fp32: ` +
        `both give every one of the ${format.integer(accuracy.images)} images the same class`
      );
    const points = (share: number): string => `${share < 0 ? '−' : '+'}${format.percent(Math.abs(share), 2)}`;
    const told =
      judgement.verdict === 'not distinguishable'
        ? low > 0 || high < 0
          ? 'significant on its own, but not after correction for the number of variants'
          : `not distinguishable on these ${format.integer(accuracy.images)} images`
        : `${judgement.verdict === 'worse' ? 'less' : 'more'} accurate`;
    return (
      `has a top-1 of ${format.percent(accuracy.top1.value, 2)} % where fp32 has ` +
      `${format.percent(judgement.reference, 2)} % (${points(value)} points, 95 %: ${points(low)} to ${points(high)}; ${told})`
    );
  }
  if (accuracy?.top1)
    return `has a top-1 of ${format.percent(accuracy.top1.value, 2)} %, with no fp32 to compare it with`;
  if (features?.cosine)
    return `has features at a mean cosine of ${format.cosineValue(features.cosine.mean.value)} to fp32's`;
  if (accuracy?.agreement)
    return (
      `gives ${format.percent(accuracy.agreement.value, 2)} % of ${format.integer(accuracy.images)} images the class that fp32 gives ` +
      `(95 %: ${format.percent(accuracy.agreement.low)} to ${format.percent(accuracy.agreement.high)} %)${figures.variant.synthetic ? ', which is not an accuracy, because the weights are synthetic' : ''}`
    );
  return 'was not scored';
}

/** In the order in which they are told. */
const exceptionWords: readonly (readonly [keyof Exceptions, string])[] = [
  ['slower', 'slower than fp32'],
  ['larger', 'larger peak memory than fp32'],
  ['lessAccurate', 'less accurate than fp32'],
  ['speedNotTold', 'no measurable difference in speed'],
  ['failed', 'failed'],
  ['unsupported', 'not supported by the device'],
  ['pending', 'not measured yet'],
  ['inDoubt', 'measured, but with a warning'],
];

function exceptionsText({ exceptions, batches, device, emulated }: Answer, { run }: Analysis): string {
  const found = exceptionWords.flatMap(([key, words]) =>
    exceptions[key].length === 0 ? [] : [`${words}: ${cellsText(exceptions[key])}`],
  );
  const where = deviceLabel(device);
  const limits = [
    ...(found.length === 0 ? ['no variant is slower, larger or less accurate than fp32 here'] : found),
    ...(emulated ? ['the device is emulated, so its timings and memory say nothing about the hardware'] : []),
    batches.length === 0
      ? `nothing was timed on ${where}`
      : `nothing is known beyond batch ${joinedByAnd(batches.map(String))} on ${where} with ${threadsText(device.row.threads)}${run.devices.length > 1 ? '' : ', the only device'}`,
  ];
  return limits.join('; ');
}

function threadsText(threads: number): string {
  return `${format.integer(threads)} ${threads === 1 ? 'thread' : 'threads'}`;
}

/** Cells by their variant: `w4 (batch 1 and 8), pruned`. */
function cellsText(cells: readonly NamedCell[]): string {
  const batches = new Map<string, Set<number>>();
  for (const { figures, batch } of cells) {
    const name = recipeLabel(figures.variant);
    const known = batches.get(name) ?? new Set<number>();
    if (batch !== undefined) known.add(batch);
    batches.set(name, known);
  }
  return listed(
    [...batches].map(([name, sizes]) =>
      sizes.size === 0
        ? name
        : `${name} (batch ${joinedByAnd([...sizes].sort((a, b) => a - b).map(String))})`,
    ),
  );
}
