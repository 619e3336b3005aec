import type { ActivationMemory } from '../../onnx/liveness.js';
import type { Answers } from '../../analysis/picture/answers.js';
import type { Depth, DeviceCosts, ModelPicture } from '../../analysis/picture/picture.js';
import type { Analysis } from '../../analysis/analysis.js';
import { deviceLabel } from '../../analysis/label.js';
import * as format from '../../text/format.js';
import type { Chart } from '../charts/chart.js';
import { drawable } from '../charts/drawable.js';
import { linearSqnr } from '../charts/linear-sqnr.js';
import { mlpWidths } from '../charts/mlp-widths.js';
import { BETTER, colourAt, config, INK, palette, REFERENCE, SCHEMA } from '../charts/theme.js';

const MIB = 1024 ** 2;

/** So many classes can be read in a matrix. */
const MOST_CLASSES = 20;

const ROLES = ['q', 'k', 'v', 'o', 'fc1', 'fc2'];

const FLOAT_BITS = 32;

/**
 * The charts of a variant's page: those that have something to show.
 *
 * @param picture - of the variant
 * @param analysis - of its run
 * @param activations - laid out for the batch of its profile; undefined where the model is no longer there
 */
export function pictureCharts(
  picture: ModelPicture,
  analysis: Analysis,
  activations: ActivationMemory | undefined,
): Chart[] {
  const only = { ...analysis, run: { ...analysis.run, variants: [picture.variant] } };
  return [
    mlpWidths(only),
    bitsChart(picture),
    linearSqnr(only),
    tokensChart(picture),
    ...picture.costs.map((costs, index) => timeChart(costs, index)),
    activations && memoryChart(activations),
    ...(picture.answers ? confusionCharts(picture.answers, analysis.run.data.labels) : []),
  ]
    .filter((chart) => chart !== undefined)
    .map((chart) => ({ ...chart, spec: drawable(chart.spec) }));
}

function bitsChart({ bits }: ModelPicture): Chart | undefined {
  if (bits.length === 0) return undefined;
  const named = new Map(bits.map((each) => [each.name, each]));
  const blocks =
    1 + Math.max(-1, ...bits.map(({ name }) => Number(/^layers\.(\d+)\./.exec(name)?.[1] ?? -1)));
  const rows = [
    ...Array.from({ length: blocks }, (_, block) =>
      ROLES.map((role) => ({
        row: role,
        column: String(block),
        ...bitsOf(named.get(`layers.${block}.${role}`)),
      })),
    ).flat(),
    ...bits
      .filter(({ name }) => !name.startsWith('layers.'))
      .map((each) => ({ row: each.name, column: OUTSIDE, ...bitsOf(each) })),
  ];
  return {
    id: 'bits',
    title: 'Bits by layer',
    caption:
      'In how many bits each linear layer stores its weights, and behind the slash, in how many it computes with what it reads. What is not ' +
      `listed has ${FLOAT_BITS} bits. Right, what lies outside the blocks.`,
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      width: { step: 40 },
      height: { step: 22 },
      encoding: {
        x: { field: 'column', type: 'ordinal', title: 'block', sort: null, axis: { labelAngle: 0 } },
        y: { field: 'row', type: 'nominal', title: null, sort: null },
      },
      layer: [
        {
          mark: { type: 'rect', stroke: '#ffffff' },
          encoding: {
            color: {
              field: 'weights',
              type: 'ordinal',
              title: 'bits of weights',
              scale: { domain: [4, 8, 16, FLOAT_BITS], range: ['#56b4e9', '#9ecae1', '#e8dfae', '#d9d9d9'] },
            },
            tooltip: [
              { field: 'row', type: 'nominal', title: 'layer' },
              { field: 'column', type: 'nominal', title: 'block' },
              { field: 'weights', type: 'quantitative', title: 'bits of weights' },
              { field: 'inputs', type: 'quantitative', title: 'bits of inputs' },
            ],
          },
        },
        {
          mark: { type: 'text', fontSize: 11, color: INK, aria: false },
          encoding: { text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  };
}

const OUTSIDE = 'outside';

function bitsOf(tensor: ModelPicture['bits'][number] | undefined): {
  weights: number;
  inputs: number;
  text: string;
} {
  const { weights = FLOAT_BITS, inputs = FLOAT_BITS } = tensor ?? {};
  return { weights, inputs, text: `${weights}/${inputs}` };
}

function tokensChart({ tokens }: ModelPicture): Chart | undefined {
  if (tokens.length === 0) return undefined;
  const rows = tokens.flatMap(({ layer, before, after }) => [
    { block: layer, of: ATTENTION, tokens: before },
    { block: layer, of: MLP, tokens: after },
  ]);
  return {
    id: 'tokens',
    title: 'Tokens by depth',
    caption:
      'How many tokens of an image the attention and the MLP of each block see: between the two, similar ones are merged. Where nothing is ' +
      'merged, all blocks have as many as the first attention.',
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      width: 380,
      height: 200,
      mark: { type: 'bar' },
      encoding: {
        x: { field: 'block', type: 'ordinal', title: 'block', axis: { labelAngle: 0 } },
        xOffset: { field: 'of', type: 'nominal', sort: [ATTENTION, MLP] },
        y: { field: 'tokens', type: 'quantitative', title: 'tokens' },
        color: {
          ...{ field: 'of', type: 'nominal', title: null },
          scale: { domain: [ATTENTION, MLP], range: [REFERENCE, BETTER] },
        },
        tooltip: [
          { field: 'block', type: 'ordinal' },
          { field: 'of', type: 'nominal', title: 'seen by' },
          { field: 'tokens', type: 'quantitative' },
        ],
      },
    },
  };
}

const ATTENTION = 'attention';
const MLP = 'MLP';
const OTHERS = 'other operators';

function timeChart({ device, batch, nodes }: DeviceCosts, index: number): Chart {
  const totals = new Map<string, number>();
  for (const { opType, milliseconds } of nodes) totals.set(opType, (totals.get(opType) ?? 0) + milliseconds);
  const named = [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, palette.length - 1)
    .map(([name]) => name);
  const sums = new Map<
    string,
    { depth: string; operator: string; milliseconds: number; bytes: number; nodes: number }
  >();
  for (const { depth, opType, milliseconds, bytes } of nodes) {
    const operator = named.includes(opType) ? opType : OTHERS;
    const key = `${depth} ${operator}`;
    const sum = sums.get(key) ?? {
      ...{ depth: String(depth), operator },
      ...{ milliseconds: 0, bytes: 0, nodes: 0 },
    };
    sums.set(key, {
      ...sum,
      milliseconds: sum.milliseconds + milliseconds,
      bytes: sum.bytes + (bytes ?? 0),
      nodes: sum.nodes + 1,
    });
  }
  const colours = new Map<string, string>(named.map((operator, place) => [operator, colourAt(place + 1)]));
  if ([...sums.values()].some(({ operator }) => operator === OTHERS)) colours.set(OTHERS, REFERENCE);
  return {
    id: `time-${index}`,
    title: `Time by depth on ${deviceLabel(device)}`,
    caption:
      `Where the time of one query of batch ${batch} goes, by block and operator: medians of the runtime's profiler, whose own work is part of ` +
      'them. They compare nodes with each other and are no latency.',
    spec: {
      $schema: SCHEMA,
      config,
      data: {
        values: [...sums.values()].map(({ bytes, ...sum }) => ({
          ...sum,
          place: [...named, OTHERS].indexOf(sum.operator),
          time: `${format.milliseconds(sum.milliseconds)} ms`,
          moved: format.mebibytes(bytes),
        })),
      },
      width: 440,
      height: 240,
      mark: { type: 'bar', stroke: '#ffffff', strokeWidth: 0.5 },
      encoding: {
        x: {
          field: 'depth',
          type: 'ordinal',
          title: 'block',
          sort: depthsOf(nodes),
          axis: { labelAngle: 0 },
        },
        y: { field: 'milliseconds', type: 'quantitative', title: 'ms in a query', stack: 'zero' },
        color: {
          ...{ field: 'operator', type: 'nominal', title: 'operator' },
          legend: { orient: 'bottom', columns: 3 },
          scale: { domain: [...colours.keys()], range: [...colours.values()] },
        },
        order: { field: 'place', type: 'quantitative' },
        tooltip: [
          { field: 'depth', type: 'nominal', title: 'block' },
          { field: 'operator', type: 'nominal' },
          { field: 'time', type: 'nominal' },
          { field: 'moved', type: 'nominal', title: 'read and written' },
          { field: 'nodes', type: 'quantitative' },
        ],
      },
    },
  };
}

function depthsOf(nodes: DeviceCosts['nodes']): string[] {
  const rank = (depth: Depth): number => (depth === 'before' ? -1 : depth === 'behind' ? Infinity : depth);
  return [...new Set(nodes.map(({ depth }) => depth))].sort((a, b) => rank(a) - rank(b)).map(String);
}

function memoryChart({ batch, nodes, peakBytes, peakNode }: ActivationMemory): Chart {
  return {
    id: 'activations',
    title: 'Memory by node',
    caption:
      `Activations that are alive while each node runs, at batch ${batch}, in the order in which nodes run: laid out from shapes, not measured. The ` +
      `most, ${format.mebibytes(peakBytes)}, is alive at ${peakNode}.`,
    spec: {
      $schema: SCHEMA,
      config,
      data: {
        values: nodes.map(({ node, opType, liveBytes }, place) => ({
          ...{ place, node, opType, live: liveBytes / MIB, text: format.mebibytes(liveBytes) },
        })),
      },
      width: 440,
      height: 220,
      encoding: {
        x: { field: 'place', type: 'quantitative', title: 'node', scale: { nice: false } },
        y: { field: 'live', type: 'quantitative', title: 'alive, MiB' },
      },
      layer: [
        { mark: { type: 'area', interpolate: 'step-after', color: BETTER, opacity: 0.35, aria: false } },
        {
          mark: { type: 'point', filled: true, size: 18, color: BETTER, opacity: 1 },
          encoding: {
            tooltip: [
              { field: 'node', type: 'nominal' },
              { field: 'opType', type: 'nominal', title: 'operator' },
              { field: 'text', type: 'nominal', title: 'alive' },
            ],
          },
        },
      ],
    },
  };
}

function confusionCharts({ confusion, before, images, device }: Answers, labels: readonly string[]): Chart[] {
  if (confusion.length > MOST_CLASSES) return [];
  const name = (index: number): string => labels[index] ?? `class ${index}`;
  const names = confusion.map((_, index) => name(index));
  const rows = confusion.flatMap((row, label) =>
    row.map((count, answer) => {
      const was = before?.[label]?.[answer];
      return {
        ...{ label: name(label), answer: name(answer), count, wrong: label === answer ? null : count },
        ...{ change: was === undefined ? 0 : count - was, was: was ?? format.NONE },
        changeText:
          was === undefined || was === count ? '' : `${count > was ? '+' : '−'}${Math.abs(count - was)}`,
        countText: count === 0 ? '' : String(count),
      };
    }),
  );
  const encoding = {
    x: { field: 'answer', type: 'nominal', title: 'answer', sort: names, axis: { labelAngle: -40 } },
    y: { field: 'label', type: 'nominal', title: 'right class', sort: names },
    tooltip: [
      { field: 'label', type: 'nominal', title: 'right class' },
      { field: 'answer', type: 'nominal' },
      { field: 'count', type: 'quantitative', title: 'images' },
      { field: 'was', type: 'nominal', title: 'with fp32' },
    ],
  } as const;
  const size = { width: { step: 33 }, height: { step: 24 } };
  const matrix: Chart = {
    id: 'confusion',
    title: 'Confusion matrix',
    caption: `How many of ${format.integer(images)} test images of each class (rows) get which answer (columns) on ${deviceLabel(device)}. Darker is more wrong answers; right ones are in grey.`,
    basis: { images: true },
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      ...size,
      encoding: { x: encoding.x, y: encoding.y },
      layer: [
        {
          mark: { type: 'rect', stroke: '#ffffff' },
          encoding: {
            color: {
              condition: { test: 'datum.wrong === null', value: '#dddddd' },
              ...{ field: 'wrong', type: 'quantitative', title: 'wrong answers' },
              scale: { range: ['#ffffff', '#f0a060'], domainMin: 0, interpolate: 'rgb' },
            },
            tooltip: [...encoding.tooltip],
          },
        },
        {
          mark: { type: 'text', fontSize: 11, color: INK, aria: false },
          encoding: { text: { field: 'countText', type: 'nominal' } },
        },
      ],
    },
  };
  if (before === undefined) return [matrix];
  const most = Math.max(1, ...rows.map(({ change }) => Math.abs(change)));
  const changes: Chart = {
    id: 'confusion-change',
    title: 'What changed in it',
    caption:
      'The same, less that of fp32 on the same images: on the diagonal, more (blue) is better; beside it, more (orange) are new mistakes. Empty: the same.',
    basis: { images: true },
    spec: {
      $schema: SCHEMA,
      config,
      data: {
        values: rows.map((row) => ({ ...row, good: row.label === row.answer ? row.change : -row.change })),
      },
      ...size,
      encoding: { x: encoding.x, y: encoding.y },
      layer: [
        {
          mark: { type: 'rect', stroke: '#e8e8e8' },
          encoding: {
            color: {
              ...{ field: 'good', type: 'quantitative', title: ['images,', 'for the better'] },
              scale: {
                domain: [-most, 0, most],
                range: ['#f0a060', '#ffffff', '#7fbfe6'],
                interpolate: 'rgb',
              },
            },
            tooltip: [...encoding.tooltip],
          },
        },
        {
          mark: { type: 'text', fontSize: 11, color: INK, aria: false },
          encoding: { text: { field: 'changeText', type: 'nominal' } },
        },
      ],
    },
  };
  return [matrix, changes];
}
