import { definitions, type Term } from '../definitions.js';
import { html, type Markup } from '../markup.js';

const terms: readonly Term[] = [
  [
    'variant',
    'A model and the recipe it was compressed with. fp32 is the empty recipe: the original model in float32.',
  ],
  ['recipe', 'The stages of the compression in order, each with its options.'],
  [
    'cell',
    'One variant on one device in one scenario: the unit that is measured, stored and, when it fails, reported as failed.',
  ],
  [
    'round',
    'A part of the timed queries of a cell, in a separate process. Rounds of all variants are interleaved in random order, so that a temporary slowdown of the machine does not hit a single variant.',
  ],
  [
    'query, latency',
    'One batch of preprocessed images given to the model, and the time from inputs in the host’s memory to logits in the host’s memory. The figure is the median of each round, averaged over the rounds (geometric mean), with Student’s interval over the rounds, since processes differ by more than the queries within one.',
  ],
  [
    'p90',
    'Nine of ten queries of a round take no longer; the geometric mean over the rounds. It needs at least ten queries per round.',
  ],
  [
    'CPU ms',
    'Processor time of a query, of all threads together. It hardly changes when other processes use the machine, unlike the latency.',
  ],
  [
    'speed',
    'How many times as fast as fp32: the geometric mean over the rounds of the ratio of medians within a round, with Student’s 95 % interval over the rounds. An interval that includes 1 means: not distinguishable.',
  ],
  [
    'speed ±',
    'Half the width of the interval of the speed, as a share of the speed, and the number of rounds. A run with --precision adds rounds of fp32 and the variant, in random order, until this is small enough, but not before the tenth round; “cap” means that the rounds or the time ran out first.',
  ],
  [
    'peak memory',
    'The most memory the process held while it loaded the model and ran it for the first time, less what it held before the model was loaded (the runtime’s base): the geometric mean over the rounds, with Student’s 95 % interval. The raw peak is that of the whole process. The steady peak is the most it held above the base while queries were timed, including JavaScript’s garbage. Systems measure peaks in different ways, which a note names; peaks measured in different ways are not compared.',
  ],
  [
    'GPU buffers',
    'The peak size of the GPU buffers that the page created while the model was loaded and run for the first time, less those of the runtime: a part of the peak memory.',
  ],
  [
    'top-1, Wilson',
    'Share of test images that get the right class, with Wilson’s score interval: the range that covers the true share 95 times in 100.',
  ],
  [
    'cosine to fp32',
    'For a model without a head: the cosine of the angle between the features that the variant and fp32 compute for the same test image on the same device, averaged over the images, with Student’s 95 % interval. 1 means: the same direction.',
  ],
  [
    'k-NN',
    'A model without a head is scored by a vote: the nearest training images, by the cosine of the features that the same variant computes, vote for their class, each with the weight exp(cosine / 0.07) (Wu et al., arXiv 1805.01978; DINO, arXiv 2104.14294).',
  ],
  [
    'McNemar p',
    'The probability that two equally good models differ by chance at least as much as these two do on the images that exactly one of them gets right. Small (below 0.05): the difference is unlikely to be chance; large: it may well be.',
  ],
  [
    'verdict',
    'Every difference from fp32 that is significant (p at most 0.05 after Holm’s correction over all cells) and at least as large as the noise floor. Anything it does not name is not distinguishable: there may be a difference, but these measurements do not show it.',
  ],
  [
    'noise floor',
    'The minimum detectable effect: the smallest difference that a test on this device detects four times out of five. It comes from a calibration, which measures a model against itself in fresh processes. Smaller differences get no verdict.',
  ],
  [
    'test set',
    'The time the model takes for all test images, one batch after another, in the pass that scores them. That pass is not timed as carefully as the latency.',
  ],
  [
    'at best, reached',
    'The time that the operators of a query would take at the peak performance of this device (its roofline), and that time as a share of what they actually took.',
  ],
  ['same class', 'Share of test images to which the variant gives the same class as fp32, right or wrong.'],
  [
    'steady state',
    'The warm-up ends when latencies no longer change from one time window to the next. ‡ marks cells with rounds that never became steady.',
  ],
  [
    '⚑',
    'Something casts doubt on this cell; the note below the table says what. Latency drifted (by 5 % or more within most rounds), the frequency or its governor changed, the processor was throttled, other processes used more than 0.15 of a core, the core was slower than in the other rounds for more than 15 % of the time, it was timed at tier smoke, which only shows that it runs, there were fewer queries than the tier requires, or processes disagree (medians of rounds differ by more than 10 % and their interquartile ranges do not overlap). The cell is not removed because of it.',
  ],
  [
    'SQNR',
    'Signal-to-quantisation-noise ratio of a layer’s output, in decibels: 20 dB is an error of 10 % of the signal, 40 dB one of 1 %.',
  ],
  ['MiB', '1,048,576 bytes.'],
];

/** What the words of the page mean. */
export function glossary(): Markup {
  return html`<p>
      EdgeFlex compresses a Vision Transformer and measures what that changes: the accuracy, the time for a
      batch of images, and the peak memory of the process. All variants of a model were made from the same
      weights and measured in the same run, each time in a fresh process.
    </p>
    ${definitions(terms)}`;
}
