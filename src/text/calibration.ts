import { median } from 'simple-statistics';
import { detectableApart, detectableInTurn, noiseOf, roundsToTell } from '../stats/noise.js';
import { floorEnvironment, type FloorMetric, type StoredFloor } from '../store/floors.js';
import type { StoredCell, StoredDevice, StoredRun } from '../store/read.js';
import * as format from './format.js';
import { peaksByRound } from '../analysis/figures/memory.js';
import type { Table } from './table.js';

/** Rounds for which a floor is put into words: what suites have, and what a doubt is worth. */
const SHOWN_ROUNDS = [3, 5, 10] as const;

/** A change that is often asked for. */
const SHOWN_CHANGE = 0.01;

/** What a calibration found out, and what it could not. */
export interface CalibrationResult {
  readonly floors: readonly StoredFloor[];
  /** A sentence for each cell that told nothing. */
  readonly gaps: readonly string[];
}

/**
 * What a calibration says of its devices: the noise of one model against itself.
 *
 * @param run - has cells of two variants that are the same model
 * @returns a floor for each device, batch size and metric; both values of a round must be there, in at least four rounds
 */
export function floorsOf(run: StoredRun): CalibrationResult {
  const floors: StoredFloor[] = [];
  const gaps: string[] = [];
  for (const device of run.devices) {
    const timed = run.cells.filter((cell) => cell.device === device && cell.row.kind === 'performance');
    const environment = floorEnvironment(device, run.cells);
    for (const batch of new Set(timed.map(({ row }) => row.batch))) {
      const twins = timed.filter(({ row }) => row.batch === batch);
      const common = { device: device.row.name, batch, runId: run.row.id, measuredAt: run.row.started_at };
      for (const [metric, valuesOf] of Object.entries(values) as [
        FloorMetric,
        (typeof values)[FloorMetric],
      ][]) {
        const [first, second] = pairedValues(twins, valuesOf);
        if (environment === undefined || first.length < 4)
          gaps.push(
            `${gapOf(device, batch)}: ${metric} was measured in ${first.length} rounds of both; four are needed.`,
          );
        else floors.push({ ...common, environment, metric, noise: noiseOf(first, second) });
      }
    }
  }
  return { floors, gaps };
}

const values: Readonly<Record<FloorMetric, (cell: StoredCell) => ReadonlyMap<number, number>>> = {
  latency: ({ rounds }) =>
    new Map(
      rounds
        .filter(({ samples }) => samples.length > 0)
        .map(({ row, samples }) => [row.round, median([...samples])]),
    ),
  memory: peaksByRound,
};

/** The values of two cells in the rounds that both have, in the order they were measured. */
function pairedValues(
  [first, second]: readonly StoredCell[],
  valuesOf: (cell: StoredCell) => ReadonlyMap<number, number>,
): [number[], number[]] {
  if (first?.row.status !== 'done' || second?.row.status !== 'done') return [[], []];
  const [a, b] = [valuesOf(first), valuesOf(second)];
  const rounds = [...a].flatMap(([round, one]) => {
    const other = b.get(round) ?? 0;
    return one > 0 && other > 0 ? [{ round, one, other }] : [];
  });
  rounds.sort((before, after) => before.round - after.round);
  return [rounds.map(({ one }) => one), rounds.map(({ other }) => other)];
}

function gapOf(device: StoredDevice, batch: number): string {
  return `${device.row.name}, batch ${batch}`;
}

/**
 * What noise floors mean, for people.
 *
 * @param floors - stored or new
 */
export function floorTable(floors: readonly StoredFloor[]): Table {
  const left = (key: string, title: string, spare?: number): Table['columns'][number] => ({
    ...{ key, title, align: 'left' },
    ...(spare === undefined ? {} : { spare }),
  });
  const right = (key: string, title: string): Table['columns'][number] => ({ key, title, align: 'right' });
  return {
    columns: [
      left('device', 'device'),
      right('batch', 'batch'),
      left('metric', 'figure'),
      ...SHOWN_ROUNDS.map((rounds) => right(`turn${rounds}`, `in turn, ${rounds} rounds`)),
      right('rounds', `rounds in turn for ${format.percent(SHOWN_CHANGE, 0)} %`),
      ...SHOWN_ROUNDS.map((rounds) => right(`apart${rounds}`, `two runs, ${rounds} rounds`)),
      left('measured', 'measured', 1),
      left('run', 'calibration', 2),
    ],
    rows: floors.map(({ device, batch, metric, noise, measuredAt, runId }) => ({
      ...{ device, batch: String(batch), metric, measured: format.moment(measuredAt), run: runId },
      rounds: format.integer(roundsToTell(noise, SHOWN_CHANGE)),
      ...Object.fromEntries(
        SHOWN_ROUNDS.flatMap((rounds) => [
          [`turn${rounds}`, percent(detectableInTurn(noise, rounds))],
          [`apart${rounds}`, percent(detectableApart(noise, rounds))],
        ]),
      ),
    })),
    notes: [
      'The minimum detectable effect: between variants of one run, measured in turn, and between two runs, one after the other.',
      ...sentences(floors),
    ],
  };
}

/** The floors as sentences: `local-cpu, batch 8: differences of latency below 2.1 % cannot be told apart in 5 rounds.` */
function sentences(floors: readonly StoredFloor[]): string[] {
  return floors.map(({ device, batch, metric, noise }) => {
    const [turn, apart] = [detectableInTurn(noise, 5), detectableApart(noise, 5)].map(percent) as [
      string,
      string,
    ];
    return (
      `${device}, batch ${batch}: differences of ${metric} below ${turn} cannot be detected in 5 rounds; ` +
      `between two runs, below ${apart}.`
    );
  });
}

function percent(share: number): string {
  return `${format.percent(share, share < 0.01 ? 2 : 1)} %`;
}
