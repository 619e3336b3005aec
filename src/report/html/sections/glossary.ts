import { definitions, type Term } from '../definitions.js';
import type { Markup } from '../markup.js';

const terms: readonly Term[] = [
  [
    'variant',
    'A model and the recipe it was compressed by. fp32 is the empty recipe: the model as it was, in float32.',
  ],
  ['recipe', 'The stages of the compression in order, each with its options.'],
  [
    'cell',
    'One variant on one device in one scenario: the unit that is measured, stored and, when it fails, reported as failed.',
  ],
  [
    'round',
    'A part of a cell’s timed queries, in a process of its own. Rounds of all variants are interleaved in random order, so that what slows the machine down for a while does not fall on one variant.',
  ],
  [
    'query, latency',
    'One batch of preprocessed images given to the model, and the time from inputs in the host’s memory to logits in the host’s memory. The figure is the median of a round, as a geometric mean over the rounds, with Student’s interval over the rounds, since processes differ by more than their queries do.',
  ],
  [
    'p90',
    'Nine of ten queries of a round take no longer; the geometric mean over the rounds. It takes ten queries a round to say so.',
  ],
  [
    'CPU ms',
    'Processor time of a query, of all threads together. It hardly changes when other processes use the machine, unlike the latency.',
  ],
  [
    'speed',
    'How many times as fast as fp32: the geometric mean over the rounds of the ratio of medians within a round, with Student’s 95 % interval over the rounds. An interval that holds 1 means: not told apart.',
  ],
  [
    'speed ±',
    'Half of the width of the speed’s interval, as a share of the speed, and the rounds that it took. A run for a precision adds rounds of fp32 and the variant, in random order, until this is as small as was asked for, after ten rounds at the earliest; “cap” says that it was not when the rounds or the time were used up.',
  ],
  [
    'peak memory',
    'The most memory the process held while it loaded the model and ran it for the first time, less what it held before the model was loaded (the runtime’s base): the geometric mean over the rounds. The raw peak is the whole process. The steady peak is the most it held over the base while queries were timed, JavaScript’s garbage included.',
  ],
  [
    'top-1, Wilson',
    'Share of test images that get the right class, with Wilson’s score interval: the range that covers the true share 95 times in 100.',
  ],
  [
    'McNemar p',
    'How likely chance alone makes two equally good models differ as much on the images that exactly one of them gets right. Small (below 0.05) means that the difference is hardly chance; large means that it cannot be told apart from chance.',
  ],
  [
    'verdict',
    'What differs from fp32: significantly (p at most 0.05 after Holm’s correction over all cells of a figure) and by at least the noise floor. What it does not name is not distinguishable: there may be a difference, but these measurements do not show it.',
  ],
  [
    'noise floor',
    'The smallest difference that a test on this device finds four times out of five, from a calibration, which measures a model against itself in fresh processes. Estimates below it get no verdict.',
  ],
  [
    'test set',
    'Time in the model for all test images, one batch after the other, in the pass that scores them: a pass of its own, which is not timed as carefully.',
  ],
  [
    'at best, reached',
    'What the operators of a query would take if each ran as fast as this device was seen to compute or to move bytes at all (its roofline), and that as a share of what they took.',
  ],
  ['same class', 'Share of test images that get the class fp32 gives them, right or wrong.'],
  [
    'steady state',
    'The warm-up ends when the latencies of a while are like those of the while before. ‡ marks cells with rounds that never got there.',
  ],
  [
    '⚑',
    'Something disturbed this cell; the note below the table says what. Latency drifted (by 5 % or more within most rounds), the frequency or its governor changed, the processor was throttled, other processes used more than 0.15 of a core, it was timed at tier smoke, which only shows that it runs, there were fewer queries than the tier asks for, or processes disagree (medians of rounds more than 10 % apart whose middle halves do not meet). Nothing is left out for it.',
  ],
  [
    'SQNR',
    'Signal-to-quantisation-noise ratio of a layer’s output, in decibels: 20 dB is an error of 10 % of the signal, 40 dB one of 1 %.',
  ],
  ['MiB', '1,048,576 bytes.'],
];

/** What the words of the page mean. */
export function glossary(): Markup {
  return definitions(terms);
}
