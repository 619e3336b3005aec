import type { Decision } from '../../analysis/procure/decision.js';
import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';
import type { Estimate } from '../../stats/interval.js';
import { listed } from '../../text/listed.js';
import { candidateName, costUnit, moneyText, quantitiesOf } from '../../text/procure/words.js';
import type { Chart } from '../charts/chart.js';
import { drawable } from '../charts/drawable.js';
import { BETTER, config, INK, REFERENCE, SCHEMA, WORSE } from '../charts/theme.js';

/** What stands against the cost. */
interface Axis {
  readonly id: string;
  readonly title: string;
  readonly axis: string;
  readonly reading: string;
  /** Whether less of it is better. */
  readonly lessIsBetter: boolean;
  readonly of: (candidate: Ranked) => Estimate | undefined;
  readonly inWords: (estimate: Estimate) => string;
}

const states = ['recommended', 'runner-up', 'qualifies', 'not known', 'fails or not ranked'] as const;
type State = (typeof states)[number];

/** Two of them fit beside each other on a printed page. */
const WIDTH = 330;
const HEIGHT = 210;
const LABELS = 2;

/**
 * Cost against latency and against accuracy, a point for each candidate that has both, with the Pareto front of the two.
 *
 * @param procurement - what was found
 * @param decision - what it comes to
 * @returns none where no cost is known
 */
export function procurementCharts(procurement: Procurement, decision: Decision): Chart[] {
  const { latency, accuracy } = quantitiesOf(procurement);
  const axes: readonly Axis[] = [
    {
      id: 'cost-latency',
      title: 'Cost against latency',
      axis: `${latency.name}, ms`,
      reading: 'Further left is faster, further down is cheaper',
      lessIsBetter: true,
      of: (candidate) => candidate.latency,
      inWords: latency.figure,
    },
    {
      id: 'cost-accuracy',
      title: 'Cost against accuracy',
      axis: 'top-1 accuracy, %',
      reading: 'Further right is more accurate, further down is cheaper',
      lessIsBetter: false,
      of: ({ accuracy: share }) =>
        share && { value: 100 * share.value, low: 100 * share.low, high: 100 * share.high },
      inWords: ({ value, low, high }) =>
        accuracy.figure({ value: value / 100, low: low / 100, high: high / 100 }),
    },
  ];
  return axes.flatMap((axis) => scatter(axis, procurement, decision) ?? []);
}

/** A candidate as a point. */
interface Point {
  readonly name: string;
  readonly state: State;
  readonly x: number;
  readonly xLow: number;
  readonly xHigh: number;
  readonly cost: number;
  readonly costLow: number;
  readonly costHigh: number;
  readonly xText: string;
  readonly costText: string;
}

function scatter(axis: Axis, procurement: Procurement, decision: Decision): Chart | undefined {
  const unit = costUnit(procurement);
  const points = procurement.candidates.flatMap((each): Point[] => {
    const [at, { cost }] = [axis.of(each), each];
    if (at === undefined || cost === undefined) return [];
    const state = stateOf(each, decision);
    return [
      {
        ...{ name: candidateName(each), state },
        ...{ x: at.value, xLow: at.low, xHigh: at.high },
        ...{ cost: cost.value, costLow: cost.low, costHigh: cost.high },
        xText: axis.inWords(at),
        costText: `${moneyText(cost)} ${unit}`,
      },
    ];
  });
  if (points.length === 0) return undefined;
  // What is drawn last lies on top.
  points.sort((a, b) => states.indexOf(b.state) - states.indexOf(a.state));
  const shown = states.filter((state) => points.some((point) => point.state === state));
  const x = {
    field: 'x',
    type: 'quantitative',
    title: axis.axis,
    scale: { zero: false, nice: true },
    axis: { tickCount: 5 },
  } as const;
  const y = { field: 'cost', type: 'quantitative', title: unit, scale: { zero: true, nice: true } } as const;
  const color = {
    field: 'state',
    type: 'nominal',
    title: null,
    legend: { orient: 'bottom', columns: 3 },
    scale: { domain: [...shown], range: shown.map((state) => colours[state]) },
  } as const;
  const front = frontOf(points, axis.lessIsBetter);
  // Of many names none can be read: the points tell theirs when they are pointed at.
  const labelled = points.filter(({ state }) => state === 'recommended').slice(0, LABELS);
  const middle =
    (Math.min(...points.map(({ xLow }) => xLow)) + Math.max(...points.map(({ xHigh }) => xHigh))) / 2;
  const labels = labelled.map((point, index) => ({
    point,
    align: point.x > middle ? ('right' as const) : ('left' as const),
    // One above its point and one below, as points that are near each other would have their names on top of each other.
    dy: index === 0 ? -8 : 14,
  }));
  return {
    id: axis.id,
    title: axis.title,
    caption: `${axis.reading}; lines are 95 % intervals. The dashed line joins the Pareto front of the estimates among what qualifies: it decides nothing where intervals overlap. ${basisOf(procurement, points)}`,
    spec: drawable({
      $schema: SCHEMA,
      config,
      width: WIDTH,
      height: HEIGHT,
      layer: [
        ...(front.length === 0
          ? []
          : [
              {
                data: { values: front },
                mark: {
                  type: 'line' as const,
                  interpolate: axis.lessIsBetter ? ('step-after' as const) : ('step-before' as const),
                  ...{ strokeDash: [4, 3], color: INK, strokeWidth: 1 },
                },
                encoding: { x, y },
              },
            ]),
        {
          data: { values: points },
          mark: { type: 'rule' },
          encoding: { x: { ...x, field: 'xLow' }, x2: { field: 'xHigh' }, y, color },
        },
        {
          data: { values: points },
          mark: { type: 'rule' },
          encoding: { x, y: { ...y, field: 'costLow' }, y2: { field: 'costHigh' }, color },
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: {
            ...{ x, y, color },
            shape: {
              field: 'state',
              type: 'nominal',
              title: null,
              legend: { orient: 'bottom', columns: 3 },
              scale: { domain: [...shown], range: shown.map((state) => shapes[state]) },
            },
            tooltip: [
              { field: 'name', type: 'nominal', title: 'candidate' },
              { field: 'state', type: 'nominal' },
              { field: 'xText', type: 'nominal', title: axis.axis.replace(/, .*/, '') },
              { field: 'costText', type: 'nominal', title: 'cost' },
            ],
          },
        },
        ...labels.map(({ point, align, dy }) => ({
          data: { values: [point] },
          mark: {
            type: 'text' as const,
            ...{ align, dy, dx: align === 'left' ? 7 : -7, fontSize: 10, limit: 190, color: INK },
          },
          encoding: { x, y, text: { field: 'name', type: 'nominal' as const } },
        })),
      ],
    }),
  };
}

/** How many candidates of how many devices and runs are shown. */
function basisOf({ candidates, runs }: Procurement, points: readonly Point[]): string {
  const shown = candidates.filter((each) => points.some(({ name }) => name === candidateName(each)));
  const devices = [...new Set(shown.map(({ deviceLabel }) => deviceLabel))];
  const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
  return `n: ${many(points.length, 'candidate')} of ${many(runs.length, 'run')}, ${devices.length === 1 ? 'device' : 'devices'} ${listed(devices)}.`;
}

const colours: Readonly<Record<State, string>> = {
  recommended: BETTER,
  'runner-up': '#56b4e9',
  qualifies: '#009e73',
  'not known': WORSE,
  'fails or not ranked': REFERENCE,
};

const shapes: Readonly<Record<State, string>> = {
  recommended: 'circle',
  'runner-up': 'square',
  qualifies: 'triangle-up',
  'not known': 'diamond',
  'fails or not ranked': 'cross',
};

function stateOf(candidate: Ranked, decision: Decision): State {
  if (decision.kind === 'buy') {
    if (decision.best.includes(candidate)) return 'recommended';
    if (decision.runnersUp.includes(candidate)) return 'runner-up';
  }
  if (candidate.byCost !== undefined) return 'qualifies';
  return candidate.answer === 'cannot tell' && candidate.unranked !== 'emulated'
    ? 'not known'
    : 'fails or not ranked';
}

/** The points that no other is below in both, of those that have a place, from left to right. */
function frontOf(points: readonly Point[], lessIsBetter: boolean): { x: number; cost: number }[] {
  const own = points.filter(({ state }) => ['recommended', 'runner-up', 'qualifies'].includes(state));
  const isBelow = (a: Point, b: Point): boolean => {
    const better = lessIsBetter ? a.x <= b.x : a.x >= b.x;
    return better && a.cost <= b.cost && (a.x !== b.x || a.cost !== b.cost);
  };
  return own
    .filter((point) => !own.some((other) => isBelow(other, point)))
    .map(({ x, cost }) => ({ x, cost }))
    .sort((a, b) => a.x - b.x);
}
