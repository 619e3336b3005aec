import { DeviceError, UnsupportedError } from '../base/errors.js';
import { deviceName } from '../device/profile.js';
import type { OpenedData } from '../data/open.js';
import type { Db } from '../store/open.js';
import { insertRound } from '../store/write.js';
import type { CellRow } from '../store/tables.js';
import type { Plan, PlannedRound } from '../suite/plan.js';
import { addedRound, comparisonsOf, type Comparison } from './added.js';
import type { Artifacts } from './artifacts/artifact.js';
import { Course } from './course.js';
import { measurementFault } from './fault.js';
import { variantName, type RoundProgress, type RunObserver } from './observer.js';
import { profiledNodes } from './profiled-nodes.js';
import type { DeviceSession } from './session.js';
import { Standing, type Failure } from './standing.js';
import { stoppingRuleOf, type StoppingRule } from './stopping.js';
import { unsupportedReason } from './unsupported.js';

/** What measuring needs; lists are in the plan's order. */
export interface Measuring {
  readonly db: Db;
  readonly plan: Plan;
  readonly cells: readonly CellRow[];
  /** By variant. */
  readonly artifacts: readonly Artifacts[];
  /** By device. */
  readonly sessions: readonly DeviceSession[];
  readonly data: OpenedData;
  readonly signal: AbortSignal;
  /** Makes the signal fire: when one place cannot go on, the others end, too. */
  readonly stop: (reason: unknown) => void;
  readonly observer: RunObserver;
}

/** A round and its place in the run's order. */
interface OrderedRound extends PlannedRound {
  readonly position: number;
}

/**
 * Measures the rounds of a plan that are not stored yet, each in a fresh agent, and stores each as it ends. Devices of
 * different places are driven side by side; those of one place one after the other, in the plan's order, and after that in as
 * many more rounds as the suite's precision asks for. A round that fails fails its cell; the others go on.
 *
 * @returns how many cells of the plan have failed
 * @throws the signal's reason when it fires, once no place measures any more
 */
export async function measureRounds(measuring: Measuring): Promise<number> {
  const { db, plan, cells, sessions } = measuring;
  const standing = await Standing.of(db, plan, cells);
  const course = new Course(plan, standing.addedRounds);
  const byPlace = new Map<string, OrderedRound[]>();
  for (const [position, planned] of plan.rounds.entries()) {
    const { place } = sessions[plan.cells[planned.cell]!.device]!.device;
    byPlace.set(place, [...(byPlace.get(place) ?? []), { ...planned, position }]);
  }
  const drivers = [...byPlace].map(
    ([place, rounds]) => new Driver(measuring, standing, course, place, rounds),
  );
  const ends = await Promise.allSettled(
    drivers.map((driver) =>
      driver.drive().catch((error: unknown) => {
        measuring.stop(error);
        throw error;
      }),
    ),
  );
  if (ends.some(({ status }) => status === 'rejected')) measuring.signal.throwIfAborted();
  return standing.failedCells;
}

/** Drives the devices of one place through their rounds. */
class Driver {
  /** When comparisons may end; undefined where the plan's rounds are all. */
  private readonly rule: StoppingRule | undefined;
  private readonly comparisons: readonly Comparison[];

  constructor(
    private readonly measuring: Measuring,
    private readonly standing: Standing,
    private readonly course: Course,
    private readonly place: string,
    private readonly rounds: readonly OrderedRound[],
  ) {
    course.at(place, this.dueAmong(rounds));
    const { plan, sessions } = measuring;
    const isHere = ({ baseline }: Comparison): boolean =>
      sessions[plan.cells[baseline]!.device]!.device.place === place;
    this.rule = stoppingRuleOf(plan.suite.performance);
    this.comparisons = this.rule ? comparisonsOf(plan).filter(isHere) : [];
  }

  async drive(): Promise<void> {
    await this.driveAll(this.rounds);
    if (this.rule === undefined) return;
    for (let number = this.measuring.plan.suite.performance.rounds; ; number++) {
      const round = await addedRound(this.measuring, this.standing, this.comparisons, this.rule, number);
      if (round.length === 0) return;
      const due = round.filter((each) => this.standing.isDue(each));
      const first = this.course.add(due.length);
      await this.driveAll(due.map((each, index) => ({ ...each, position: first + index })));
    }
  }

  private async driveAll(rounds: readonly OrderedRound[]): Promise<void> {
    for (const [index, round] of rounds.entries()) {
      if (!this.standing.isDue(round)) continue;
      this.measuring.signal.throwIfAborted();
      await this.driveRound(round, rounds.slice(index + 1));
    }
  }

  /**
   * Measures a round, stores it and ends its cell if it was the last one, or if it failed.
   *
   * @param following - the rounds that come after it
   */
  private async driveRound(round: OrderedRound, following: readonly OrderedRound[]): Promise<void> {
    const { observer } = this.measuring;
    const left = this.dueAmong(following);
    const started = performance.now();
    const progress = (phase: string, done: number): RoundProgress => {
      this.course.at(this.place, left, { ...round, started, done });
      return this.progressOf(round, phase, done);
    };
    const failure = this.standing.spoiltBy(round.cell) ?? (await this.measure(round, started, progress));
    if (failure !== undefined) await this.standing.fail(round.cell, failure);
    else if (!this.isOpenEnded(round.cell)) await this.standing.endIfComplete(round.cell);
    this.course.at(this.place, this.dueAmong(following));
    observer.measured(this.progressOf(round, 'done', 1), failure);
  }

  /** @returns how it failed; undefined when it did not */
  private async measure(
    round: OrderedRound,
    started: number,
    progress: (phase: string, done: number) => RoundProgress,
  ): Promise<Failure | undefined> {
    const { db, plan, cells, sessions, artifacts, data, observer } = this.measuring;
    const cell = plan.cells[round.cell]!;
    const { device } = sessions[cell.device]!;
    const artifact = artifacts[cell.variant]!.get(device.target)!;
    const { microBatch } = plan.variants[cell.variant]!.recipe.recipe;
    const { batch } = cell.scenario;
    const startedAt = new Date().toISOString();
    try {
      const refused = unsupportedReason(artifact, device);
      if (refused !== undefined) throw new UnsupportedError(refused);
      const measurement = await sessions[cell.device]!.measure(
        artifact,
        microBatch,
        cell.scenario,
        (event) => {
          if (event.event === 'phase') observer.measuring(progress(event.phase, 0));
          if (event.event === 'progress') observer.measuring(progress('steady', event.done));
        },
      );
      const seconds = (performance.now() - started) / 1000;
      await insertRound(
        db,
        { cellId: cells[round.cell]!.id, round: round.round, position: round.position, startedAt, seconds },
        measurement,
        data.test.classes,
        cell.scenario.kind === 'accuracy',
        await profiledNodes(measurement.nodes, artifact, batch, Math.min(microBatch ?? batch, batch)),
      );
      this.standing.add(round);
      this.course.forecast.add(cell, seconds);
      const fault = await measurementFault(this.measuring, cell, measurement);
      return fault === undefined ? undefined : { status: 'failed', reason: fault };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      const status = error instanceof UnsupportedError ? 'unsupported' : 'failed';
      return { status, reason: error.message };
    }
  }

  /** Whether a cell is done only when its comparison is. */
  private isOpenEnded(cell: number): boolean {
    return this.comparisons.some(({ baseline, variants }) => baseline === cell || variants.includes(cell));
  }

  private dueAmong(rounds: readonly OrderedRound[]): OrderedRound[] {
    return rounds.filter((round) => this.standing.isDue(round));
  }

  private progressOf({ cell, round, position }: OrderedRound, phase: string, done: number): RoundProgress {
    const { plan, sessions } = this.measuring;
    const planned = plan.cells[cell]!;
    const { rounds, over, overall, secondsLeft } = this.course;
    return {
      variant: variantName(plan, planned),
      device: deviceName(sessions[planned.device]!.device.profile),
      scenario: planned.scenario,
      ...{ round, position, rounds, over, overall, phase, done, secondsLeft },
    };
  }
}
