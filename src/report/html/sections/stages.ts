import * as format from '../../format.js';
import type {
  MergeTokensSummary,
  HeadSummary,
  PrecisionSummary,
  ProfileSummary,
  PruneSummary,
  QuantizeSummary,
} from '../../stages.js';
import { grid } from '../grid.js';
import { html, unbroken, type Content, type Markup } from '../markup.js';

const FORMATS: Readonly<Record<string, string>> = {
  w8a8: 'INT8 weights and INT8 inputs',
  qdq: 'INT8 weights and INT8 inputs, written as QuantizeLinear and DequantizeLinear',
  dynamic: 'INT8 weights, inputs quantised while the model runs',
  w8: '8-bit weights, float inputs',
  w4: '4-bit weights, float inputs',
};

/** What a `profile` stage observed. */
export function profileText({ images, inputs, activations }: ProfileSummary): Markup {
  const peak =
    activations &&
    `Predicted activations at batch ${activations.batch}: ${format.mebibytes(activations.peakBytes)} at their peak, ` +
      `in ${activations.peakNode}.`;
  return html`<p>
      Observed what every linear reads on ${count(images)} training images; changed nothing.
      ${peak && unbroken(peak)}
    </p>
    ${more(
      'inputs of the linears',
      grid(
        [
          { title: 'linear' },
          ...['least', 'largest', 'RMS', 'outlier ratio'].map((title) => ({
            title,
            align: 'right' as const,
          })),
        ],
        inputs.map(({ linear, min, max, rms, outlierRatio }) => [
          linear,
          number(min),
          number(max),
          number(rms),
          number(outlierRatio),
        ]),
      ),
      'Outlier ratio: the largest extent of a channel over the median extent. Large values make a shared scale costly.',
    )}`;
}

/** How a `head` stage fitted the classifier anew. */
export function headText({ images, holdout, classes, lambda, holdoutAccuracy, tried }: HeadSummary): Markup {
  return html`<p>
      Fitted a new head for ${count(classes)} classes on ${count(images)} training images, in closed form
      (ridge regression on the class token). ${count(holdout)} of them chose the penalty, λ ${number(lambda)}:
      fitted without them, that head is right on ${format.percent(holdoutAccuracy)} % of them.
    </p>
    ${more(
      'penalties that were tried',
      grid(
        ['λ', 'squared error', 'right %'].map((title) => ({ title, align: 'right' as const })),
        tried.map((each) => [number(each.lambda), number(each.squaredError), format.percent(each.accuracy)]),
      ),
      'On training images held out; λ is in units of the mean variance of a feature.',
    )}`;
}

/** What a `prune` stage removed. */
export function pruneText({ images, neuronsBefore, neuronsAfter, blocks, budget }: PruneSummary): Markup {
  const removed = format.percent(1 - neuronsAfter / neuronsBefore);
  const outcome =
    budget &&
    `Budget: ${format.mebibytes(budget.budget)}; predicted ${bytes(budget.predicted)}, measured ${bytes(budget.measured)}.`;
  return html`<p>
      Removed ${removed} % of the MLP neurons: ${format.integer(neuronsAfter)} of
      ${format.integer(neuronsBefore)} are left, chosen on ${count(images)} training images. Their rows and
      columns are gone from the weights, not masked. ${outcome && unbroken(outcome)}
    </p>
    ${more(
      'widths by block',
      grid(
        ['block', 'before', 'left', 'predicted error'].map((title) => ({ title, align: 'right' })),
        blocks.map(({ layer, before, after, loss }) => [
          layer,
          before,
          after,
          loss === undefined ? format.NONE : `${format.significant(loss * 100)} %`,
        ]),
      ),
      'Predicted error: what is added to the output of the MLP on the calibration images, as a share of its variance.',
    )}`;
}

/** How a `merge-tokens` stage merges tokens. */
export function mergeTokensText({
  images,
  blocks,
  multiplications: { before, after },
  schedules,
}: MergeTokensSummary): Markup {
  const [taken] = schedules;
  const agreement =
    taken!.agreement === undefined
      ? ''
      : `On held-out training images ${format.percent(taken!.agreement, 2)} % keep the class they had before the stage.`;
  return html`<p>
      Merges the most similar tokens between attention and MLP: of ${blocks[0]!.before} tokens
      ${blocks.at(-1)!.after} are left at the end, ${(before / after).toFixed(2)} times fewer multiplications
      (counted from shapes, not measured).
      ${
        schedules.length > 1
          ? `Of ${schedules.length} schedules with as many multiplications, the one whose logits stay nearest on ${count(images)} held-out training images was taken.`
          : ''
      }
      ${unbroken(agreement)}
    </p>
    ${more(
      'tokens by block',
      grid(
        ['block', 'attention', 'MLP', 'merged'].map((title) => ({ title, align: 'right' })),
        blocks.map((block) => [block.layer, block.before, block.after, block.before - block.after]),
      ),
    )}
    ${
      schedules.length > 1
        ? more(
            'every schedule',
            grid(
              [
                { title: 'merged in each block' },
                { title: 'error', align: 'right' },
                { title: 'same class', align: 'right' },
              ],
              schedules.map(({ merges, error, agreement: same }) => [
                merges.join(' '),
                number(error),
                same === undefined ? format.NONE : `${format.percent(same, 2)} %`,
              ]),
            ),
            'Error: mean squared difference of the logits from those before the stage, as a share of their variance.',
          )
        : undefined
    }`;
}

/** What a `precision` stage stored as float16. */
export function precisionText({ images, components, savedBytes, arithmetic }: PrecisionSummary): Markup {
  const stored = components.filter((each) => each.stored === 'float16');
  return html`<p>
      Stored as float16: ${names(stored.map(({ component }) => component))}.
      ${savedBytes === undefined ? '' : unbroken(`The file loses ${format.mebibytes(savedBytes)}. `)}Looked
      for large activations on ${count(images)} training images.
    </p>
    ${arithmetic === '' ? undefined : html`<p><b>Arithmetic:</b> ${arithmetic}</p>`}
    ${more(
      'every component',
      grid(
        [
          { title: 'component' },
          { title: 'stored' },
          { title: 'because' },
          { title: 'largest weight', align: 'right' },
          { title: 'SQNR dB', align: 'right' },
        ],
        components.map(({ component, stored: how, because, largestWeight, sqnr }) => [
          component,
          how,
          because,
          number(largestWeight),
          decibels(sqnr),
        ]),
      ),
    )}`;
}

/** What a `quantize` stage made of the linears. */
export function quantizeText(report: QuantizeSummary): Markup {
  const { images, linears, kept, returned } = report;
  const form = FORMATS[report.format] ?? report.format;
  return html`<p>
      ${linears.length - returned.length} linears as ${form}${unbroken(sqnrSpan(report))}; calibrated on
      ${count(images)} training images.
      ${kept.length > 0 ? html`Kept float by the recipe: ${names(kept)}.` : undefined}
      ${
        returned.length > 0
          ? html`<b>Returned to float</b>, worst first, so that the budget holds: ${names(returned)}.`
          : 'None was returned to float.'
      }
      ${unbroken(budgetText(report))}
    </p>
    ${more(
      'every linear',
      grid(
        [
          { title: 'linear' },
          { title: 'SQNR dB', align: 'right' },
          { title: 'α', align: 'right' },
          { title: '' },
        ],
        linears.map(({ linear, sqnr, alpha }) => [
          linear,
          decibels(sqnr),
          alpha,
          returned.includes(linear) ? 'returned to float' : '',
        ]),
      ),
      'α: how far the difficulty of quantising was moved from the inputs to the weights, 0 to 1; empty where nothing could be folded.',
    )}`;
}

function sqnrSpan({ linears }: QuantizeSummary): string {
  const known = linears.map(({ sqnr }) => sqnr).filter((sqnr) => sqnr !== undefined);
  if (known.length === 0) return '';
  return `, SQNR ${Math.min(...known).toFixed(1)} to ${Math.max(...known).toFixed(1)} dB`;
}

function budgetText({ agreement, withinBudget }: QuantizeSummary): string {
  if (agreement === undefined) return '';
  const kept = `On held-out training images ${format.percent(agreement, 2)} % keep the class they had before the stage`;
  return `${kept}${withinBudget === false ? ': the budget is not met' : ''}.`;
}

function more(what: string, table: Markup, explanation?: string): Markup {
  return html`<details>
    <summary>${what}</summary>
    ${table}${explanation === undefined ? undefined : html`<p class="soft">${explanation}</p>`}
  </details>`;
}

function names(list: readonly string[]): Content {
  if (list.length === 0) return 'nothing';
  return list.map((name, index) => html`${index > 0 ? ', ' : ''}<code>${name}</code>`);
}

function count(images: number | undefined): string {
  return images === undefined ? 'some' : format.integer(images);
}

function number(value: number | undefined): string {
  return value === undefined ? format.NONE : format.significant(value);
}

function decibels(value: number | undefined): string {
  return value === undefined ? format.NONE : value.toFixed(1);
}

function bytes(value: number | undefined): string {
  return value === undefined ? format.NONE : format.mebibytes(value);
}
