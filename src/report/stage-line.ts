import * as format from './format.js';
import type {
  MergeTokensSummary,
  HeadSummary,
  PrecisionSummary,
  ProfileSummary,
  PruneSummary,
  QuantizeSummary,
  StageSummary,
} from './stages.js';

/**
 * What a stage did, on one line without markup.
 *
 * @param stage - of a recipe that was applied
 */
export function stageLine({ own }: StageSummary): string {
  switch (own.kind) {
    case 'profile':
      return profileLine(own.report);
    case 'prune':
      return pruneLine(own.report);
    case 'merge-tokens':
      return mergeTokensLine(own.report);
    case 'precision':
      return precisionLine(own.report);
    case 'quantize':
      return quantizeLine(own.report);
    case 'head':
      return headLine(own.report);
    case 'other':
      return '';
  }
}

function profileLine({ activations }: ProfileSummary): string {
  if (activations === undefined) return 'observed only';
  const { peakBytes, batch, peakNode } = activations;
  return `observed only; activations peak at ${format.mebibytes(peakBytes)} for a batch of ${batch}, in ${peakNode}`;
}

function pruneLine({ neuronsAfter, neuronsBefore, budget }: PruneSummary): string {
  const left = `${format.integer(neuronsAfter)} of ${format.integer(neuronsBefore)} MLP neurons left`;
  if (budget === undefined) return left;
  const bytes = (value: number | undefined): string =>
    value === undefined ? format.NONE : format.mebibytes(value);
  return `${left}; budget ${bytes(budget.budget)}, predicted ${bytes(budget.predicted)}, measured ${bytes(budget.measured)}`;
}

function mergeTokensLine({ blocks, multiplications, schedules }: MergeTokensSummary): string {
  const left = `${blocks.at(-1)!.after} of ${blocks[0]!.before} tokens left`;
  const fewer = `${(multiplications.before / multiplications.after).toFixed(2)} times fewer multiplications`;
  const { agreement } = schedules[0]!;
  const same =
    agreement === undefined ? '' : `, ${format.percent(agreement)} % of held-out images keep their class`;
  return `${left}, ${fewer}${same}`;
}

function precisionLine({ components, savedBytes }: PrecisionSummary): string {
  const stored = components.filter((each) => each.stored === 'float16').length;
  const saved = savedBytes === undefined ? '' : `, ${format.mebibytes(savedBytes)} less of file`;
  return `${stored} of ${components.length} components stored as float16${saved}`;
}

function quantizeLine({ format: form, linears, kept, returned }: QuantizeSummary): string {
  const known = linears.map(({ sqnr }) => sqnr).filter((sqnr) => sqnr !== undefined);
  const range =
    known.length > 0 ? `, SQNR ${Math.min(...known).toFixed(1)} to ${Math.max(...known).toFixed(1)} dB` : '';
  const float = kept.length + returned.length;
  return `${linears.length - returned.length} linears as ${form}${range}${float > 0 ? `, ${float} float` : ''}`;
}

function headLine({ images, classes, lambda, holdoutAccuracy }: HeadSummary): string {
  return (
    `head fitted for ${classes} classes on ${format.integer(images)} training images, λ ${format.significant(lambda)}; ` +
    `${format.percent(holdoutAccuracy)} % right of those held out`
  );
}
