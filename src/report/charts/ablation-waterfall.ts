import { effectBasis } from '../../text/ablation/notes.js';
import type { AblationPanel, AttributedGain } from '../../analysis/ablation/ablation.js';
import type { Analysis } from '../../analysis/analysis.js';
import { isBetterHigher } from '../../base/metric.js';
import { effectText, endNames, partText } from '../../text/ablation/words.js';
import { quantity } from '../../text/compare/words.js';
import { panelTitle, shownPanels } from './ablation-panels.js';
import type { ChartMaker, PartSpec } from './chart.js';
import { config, SCHEMA } from './theme.js';
import { waterfallPart, type WaterfallBar } from './waterfall.js';

const MIB = 1024 ** 2;

/** Room for the labels to the right of the longest bar, as a share of it. */
const LABEL_ROOM = 0.75;

/** What each factor gives of the difference between all at their first level and all at their last. */
export const ablationWaterfall: ChartMaker = (analysis) => {
  const panels = shownPanels(analysis, ({ attribution }) => attribution !== undefined);
  const parts = panels.flatMap((panel) =>
    panel.attribution ? [partOf(panel, panel.attribution, analysis)] : [],
  );
  if (parts.length === 0) return undefined;
  return {
    id: 'ablation-waterfall',
    title: 'What each factor gives',
    caption:
      'From all factors at their first level to all at their last. The step of a factor is its Shapley value: what it adds, averaged over ' +
      'all orders in which the factors may be added. Labels have 95 % intervals; a step is drawn from where the one before it ends. The axis of accuracy does not begin at 0.',
    basis: effectBasis(panels),
    spec: { $schema: SCHEMA, config, concat: parts, columns: 2 },
  };
};

type Bar = WaterfallBar<'total' | 'better' | 'worse'>;

function partOf(panel: AblationPanel, gain: AttributedGain, analysis: Analysis): PartSpec {
  const bars = barsOf(panel, gain);
  return waterfallPart({
    title: panelTitle(panel, analysis),
    bars,
    changes: ['total', 'better', 'worse'],
    axis: { title: AXES[panel.metric], ...axisOf(panel, bars) },
    names: { step: 'factor', text: 'effect (95 %)' },
  });
}

/** From where to where an axis goes, and where its ticks are; undefined ticks are left to the chart. */
interface Axis {
  readonly start: number;
  readonly end: number;
  readonly ticks?: readonly number[];
}

/** Accuracies are so much alike that a step would not be seen on an axis from 0: theirs begins below the lowest, and ends at 100 %. */
function axisOf({ metric }: AblationPanel, bars: readonly Bar[]): Axis {
  const ends = bars.flatMap(({ change, left, right }) => (change === 'total' ? [right] : [left, right]));
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  if (metric !== 'accuracy') return { start: 0, end: most * (1 + LABEL_ROOM) };
  const start = Math.max(0, least - Math.max(most - least, LEAST_SPAN));
  const step = STEPS.find((each) => each * MOST_TICKS >= most - start) ?? 25;
  const first = Math.ceil(start / step);
  const ticks = Array.from(
    { length: Math.floor(most / step) - first + 1 },
    (_, index) => (first + index) * step,
  );
  return { start, end: most + (most - start) * (1 + LABEL_ROOM), ticks };
}

/** Percentage points that an axis of accuracy shows at least below the lowest. */
const LEAST_SPAN = 0.5;
/** Percentage points from tick to tick, and how many such steps there may be. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 25];
const MOST_TICKS = 5;

const AXES = {
  latency: 'latency of a query, ms',
  memory: 'peak memory, MiB',
  file: 'file size, MiB',
  accuracy: 'accuracy, %',
} as const;

function barsOf(panel: AblationPanel, { from, to, parts }: AttributedGain): Bar[] {
  const { metric } = panel;
  const drawn = (value: number): number => {
    if (metric === 'accuracy') return value * 100;
    return metric === 'latency' ? value : value / MIB;
  };
  const whole = (step: string, value: number): Bar => {
    return { step, change: 'total', left: 0, right: drawn(value), text: quantity(metric, value) };
  };
  let before = from;
  const steps = parts.map(({ part, effect }): Bar => {
    const after = metric === 'accuracy' ? before + effect.value : before * effect.value;
    const better = isBetterHigher(metric) ? after >= before : after <= before;
    const [left, right] = [Math.min(before, after), Math.max(before, after)].map(drawn) as [number, number];
    before = after;
    return {
      step: partText(part),
      change: better ? 'better' : 'worse',
      left,
      right,
      text: effectText(panel, effect),
    };
  });
  const { first, last } = endNames(parts.map(({ part }) => part));
  return [whole(first, from), ...steps, whole(last, to)];
}
