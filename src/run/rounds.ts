import { DeviceError } from '../base/errors.js';
import type { OpenedData } from '../data/open.js';
import type { AgentEvent } from '../protocol/events.js';
import type { Measurement } from '../protocol/measurement.js';
import type { Db } from '../store/open.js';
import { loadLogits, storedRounds } from '../store/read.js';
import type { CellRow } from '../store/tables.js';
import { endCell, insertRound } from '../store/write.js';
import type { Plan, PlannedCell } from '../suite/plan.js';
import type { Artifact } from './artifact.js';
import { kernelFault, outputFault } from './checks.js';
import { Forecast } from './forecast.js';
import { variantName, type RoundProgress, type RunObserver } from './observer.js';
import type { DeviceSession } from './session.js';

/** What measuring needs; lists are in the plan's order. */
export interface Measuring {
  readonly db: Db;
  readonly plan: Plan;
  readonly cells: readonly CellRow[];
  /** By variant. */
  readonly artifacts: readonly Artifact[];
  /** By device. */
  readonly sessions: readonly DeviceSession[];
  readonly data: OpenedData;
  readonly signal: AbortSignal;
  readonly observer: RunObserver;
}

/**
 * Measures the rounds of a plan that are not stored yet, each in a fresh agent, and stores each as it ends. A round that
 * fails fails its cell; the others go on.
 *
 * @returns how many cells of the plan have failed
 */
export async function measureRounds(measuring: Measuring): Promise<number> {
  const { db, plan, cells, signal, observer } = measuring;
  const forecast = new Forecast(plan);
  const status = new Map(cells.map((cell) => [cell.id, cell.status]));
  const reasons = new Map<string, string>();
  const stored = new Map<number, Set<number>>();
  for (const cell of cells) stored.set(cell.id, new Set(await storedRounds(db, cell.id)));

  for (const [position, { cell: index, round }] of plan.rounds.entries()) {
    const cell = plan.cells[index]!;
    const row = cells[index]!;
    if (status.get(row.id) !== 'pending' || stored.get(row.id)!.has(round)) continue;
    signal.throwIfAborted();
    const started = performance.now();
    const progress = (phase: string, done: number): RoundProgress => ({
      variant: variantName(plan, cell),
      device: measuring.sessions[cell.device]!.device.profile.name,
      scenario: cell.scenario,
      round,
      position,
      rounds: plan.rounds.length,
      phase,
      done,
      secondsLeft: forecast.secondsFrom(position) - (performance.now() - started) / 1000,
    });
    const own = `${cell.variant} ${cell.device}`;
    let failure = reasons.get(own) && `not timed, because ${reasons.get(own)!}`;
    if (failure === undefined) {
      const startedAt = new Date().toISOString();
      try {
        const measurement = await measure(measuring, cell, (event) => {
          if (event.event === 'phase') observer.measuring(progress(event.phase, 0));
          if (event.event === 'progress') observer.measuring(progress('steady', event.done));
        });
        const seconds = (performance.now() - started) / 1000;
        const place = { cellId: row.id, round, position, startedAt, seconds };
        const isAccuracy = cell.scenario.kind === 'accuracy';
        await insertRound(db, place, measurement, measuring.data.test.classes, isAccuracy);
        stored.get(row.id)!.add(round);
        forecast.add(cell, seconds);
        failure = await faultOf(measuring, cell, measurement);
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        failure = error.message;
      }
      if (failure !== undefined && cell.scenario.kind !== 'performance') reasons.set(own, failure);
    }
    if (failure !== undefined) {
      await endCell(db, row.id, 'failed', failure);
      status.set(row.id, 'failed');
    } else if (stored.get(row.id)!.size === row.rounds) {
      await endCell(db, row.id, 'done', null);
      status.set(row.id, 'done');
    }
    observer.measured(progress('done', 1), failure);
  }
  return [...status.values()].filter((each) => each === 'failed').length;
}

function measure(
  { plan, artifacts, sessions }: Measuring,
  { variant, device, scenario }: PlannedCell,
  watch: (event: AgentEvent) => void,
): Promise<Measurement> {
  const { microBatch } = plan.variants[variant]!.recipe.recipe;
  return sessions[device]!.measure(artifacts[variant]!, microBatch, scenario, watch);
}

/** What is wrong with a measurement that went through: other kernels than meant, other answers than before. */
async function faultOf(
  { db, plan, cells, artifacts, sessions }: Measuring,
  { variant, device, scenario }: PlannedCell,
  measurement: Measurement,
): Promise<string | undefined> {
  const { batch } = scenario;
  switch (scenario.kind) {
    case 'accuracy':
      return undefined;
    case 'kernels': {
      const parts = Math.ceil(batch / (plan.variants[variant]!.recipe.recipe.microBatch ?? batch));
      return kernelFault(
        artifacts[variant]!,
        measurement.kernels,
        parts,
        measurement.started!.runtime.provider,
      );
    }
    case 'performance': {
      const scored = plan.cells.findIndex(
        (cell) => cell.variant === variant && cell.device === device && cell.scenario.kind === 'accuracy',
      );
      const accuracy = await loadLogits(db, cells[scored]!.id);
      if (accuracy === undefined) return undefined;
      return outputFault(measurement.logits, sessions[device]!.batchIndices(batch), accuracy.values);
    }
  }
}
