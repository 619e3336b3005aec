import type { Analysis } from '../../analysis/analysis.js';
import { baselineVariant } from '../../analysis/figures/baseline.js';
import * as format from '../../text/format.js';
import { variantLabel } from '../../analysis/label.js';
import { stagesOf } from '../../analysis/stages.js';
import type { Variant } from '../../analysis/model.js';
import type { ChartMaker, PartSpec } from './chart.js';
import { config, SCHEMA } from './theme.js';
import { waterfallPart, type WaterfallBar } from './waterfall.js';

const MIB = 1024 ** 2;

/** Bytes of a parameter before any stage. */
const FLOAT32_BYTES = 4;

/** Room for the labels to the right of the longest bar, as a share of it. */
const LABEL_ROOM = 0.95;

/** The waterfall of the stages: what each one takes off the bytes of a model's constants. */
export const stageSizes: ChartMaker = (analysis) => {
  const waterfalls = analysis.run.variants
    .map((variant) => ({ label: variantLabel(variant, analysis), bars: barsOf(variant, analysis) }))
    .filter(({ bars }) => bars.length > 0);
  if (waterfalls.length === 0) return undefined;
  return {
    id: 'stage-sizes',
    title: 'What each stage removes',
    caption:
      'Weights and other constants as stored in memory: all of them in float32, then what each stage of the recipe removes ' +
      'or adds, then what remains. A stage that only observes changes nothing; one that only shrinks the file ' +
      'changes nothing here either.',
    spec: {
      $schema: SCHEMA,
      config,
      concat: waterfalls.map(({ label, bars }) => partOf(label, bars)),
      columns: 2,
    },
  };
};

const CHANGES = ['all constants', 'taken off', 'put on'] as const;

/** In MiB. */
interface Bar extends WaterfallBar<(typeof CHANGES)[number]> {
  readonly after: number;
}

function partOf(label: string, bars: readonly Bar[]): PartSpec {
  const largest = Math.max(...bars.map(({ right }) => right));
  return waterfallPart({
    title: label,
    bars,
    changes: CHANGES,
    axis: { title: 'constants of the model, MiB', start: 0, end: largest * (1 + LABEL_ROOM) },
    names: { step: 'stage', text: 'after it' },
    mark: 'after',
  });
}

function barsOf(variant: Variant, analysis: Analysis): Bar[] {
  const stages = stagesOf(variant);
  const baseline = baselineVariant(variant, analysis.run);
  if (stages.length === 0 || baseline === undefined) return [];
  const whole = (step: string, bytes: number, parameters: number): Bar => ({
    step,
    change: 'all constants',
    left: 0,
    right: bytes / MIB,
    after: bytes / MIB,
    text: sizeText(bytes, parameters),
  });
  let before = baseline.parameters * FLOAT32_BYTES;
  const bars = [whole(baseline.recipe, before, baseline.parameters)];
  for (const [index, { stage, constantBytes, parameters }] of stages.entries()) {
    if (constantBytes === undefined || parameters === undefined) return [];
    bars.push({
      step: `${index + 1}. ${stage}`,
      change: constantBytes <= before ? 'taken off' : 'put on',
      left: Math.min(before, constantBytes) / MIB,
      right: Math.max(before, constantBytes) / MIB,
      after: constantBytes / MIB,
      text: sizeText(constantBytes, parameters),
    });
    before = constantBytes;
  }
  return [...bars, whole('what is left', before, variant.parameters)];
}

function sizeText(bytes: number, parameters: number): string {
  return `${format.mebibytes(bytes)}, ${format.parameters(parameters)} parameters`;
}
