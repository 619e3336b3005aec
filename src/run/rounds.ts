import { DeviceError, messageOf, ResourceError, UnsupportedError } from '../base/errors.js';
import type { OpenedData } from '../data/kind.js';
import { failureOf, THIS_MACHINE } from '../device/device.js';
import { deviceName } from '../device/profile.js';
import { disturbancesOf, usualPace, type Placement, type SeenConditions } from '../protocol/disturbance.js';
import type { CellFailure } from '../protocol/failure.js';
import type { AgentEvent } from '../protocol/events.js';
import type { Measurement } from '../protocol/measurement.js';
import { loadLogits } from '../store/read.js';
import { insertRound, type EmbeddingScores, type ProfiledNode } from '../store/write.js';
import { isTimed, type Plan } from '../suite/plan.js';
import { addedRound, comparisonsOf, type ComparedCells } from './added.js';
import { isDue, microBatchOf, type Cell, type CellRound } from './cell.js';
import { embeddingScores } from './embeddings.js';
import { measurementFailure } from './measurement-failure.js';
import type { EmitRunEvent, RoundProgress } from './events.js';
import { profiledNodes } from './profiled-nodes.js';
import { Progress } from './progress.js';
import { waitForQuiet } from './quiet.js';
import { RepeatBudget } from './repeats.js';
import type { Failure, RunState } from './run-state.js';
import type { DeviceSession } from './session.js';
import { stepOf } from '../protocol/turns.js';
import type { Turns } from './turns.js';
import { stoppingRuleOf, type StoppingRule } from './stopping.js';
import { unsupportedReason } from './unsupported.js';

/** What measuring needs. */
export interface Measuring {
  readonly plan: Plan;
  readonly state: RunState;
  readonly data: OpenedData;
  readonly signal: AbortSignal;
  /** Makes the signal fire: when one host cannot go on, the others end, too. */
  readonly stop: (reason: unknown) => void;
  readonly emit: EmitRunEvent;
  /** With the runs of other processes that measure on the same machines. */
  readonly turns: Turns;
  /** Called between rounds, when what a host has measured is stored. */
  readonly onStored: () => Promise<void> | undefined;
}

/**
 * Measures the rounds of a plan that are not stored yet, each in a fresh agent, and stores each as it ends. Devices of
 * different hosts are driven side by side; those of one host one after the other, in the plan's order, and after that in as
 * many more rounds as the suite's precision asks for. A round that fails fails its cell; the others go on.
 *
 * @returns how many cells of the plan have failed
 * @throws the signal's reason when it fires, once no host measures any more
 */
export async function measureRounds(measuring: Measuring): Promise<number> {
  const { plan, state } = measuring;
  const progress = new Progress(plan.rounds.length + state.addedRounds);
  const byHost = new Map<string, CellRound[]>();
  for (const [position, { cell: index, round }] of plan.rounds.entries()) {
    const cell = state.cells[index];
    if (cell === undefined) throw new RangeError(`the plan has no cell ${index}`);
    const { host } = cell.subject.session.device;
    byHost.set(host, [...(byHost.get(host) ?? []), { cell, round, position }]);
  }
  const { turns } = measuring;
  turns.only([...byHost.keys(), THIS_MACHINE]);
  // What was prepared is, and others may measure here.
  if (!byHost.has(THIS_MACHINE)) turns.leave(THIS_MACHINE);
  const drivers = [...byHost].map(([host, rounds]) => new Driver(measuring, progress, host, rounds));
  const ends = await Promise.allSettled(
    drivers.map((driver) =>
      driver.drive().then(
        () => {
          turns.leave(driver.host);
        },
        (error: unknown) => {
          measuring.stop(error);
          throw error;
        },
      ),
    ),
  );
  if (ends.some(({ status }) => status === 'rejected')) measuring.signal.throwIfAborted();
  return state.failedCells;
}

/** A measurement, and what its nodes compute. */
interface Measured {
  readonly measurement: Measurement;
  readonly nodes: readonly ProfiledNode[];
  /** Of the device's cores; undefined where it does not matter or cannot be seen. */
  readonly placement: Placement | undefined;
}

/** Takes note of how far a round is; `begun` is when its try was begun, of the round itself if left out. */
type ShowProgress = (phase: string, done: number, begun?: number) => RoundProgress;

/** A measurement that stays, how often it was repeated because others had disturbed it, and when the last try was begun. */
interface Kept extends Measured {
  readonly repeats: number;
  readonly begun: number;
}

/** Whether a round is worth measuring again where it was disturbed: what is timed at tier smoke is believed by nobody. */
function isRepeatable({ cell: { scenario } }: CellRound): boolean {
  return isTimed(scenario) && scenario.tier !== 'smoke';
}

/** From so many rounds on, the pace of a device's core that is usual is known well enough to say that one is slow. */
const LEAST_PACED_ROUNDS = 3;

/** Drives the devices of one host through their rounds. */
class Driver {
  /** When comparisons may end; undefined where the plan's rounds are all. */
  private readonly rule: StoppingRule | undefined;
  private readonly comparisons: readonly ComparedCells[];
  private readonly budget: RepeatBudget;
  /** What each device was like in the rounds that were timed here, repeated ones among them. */
  private readonly seen = new Map<DeviceSession, (readonly SeenConditions[])[]>();

  constructor(
    private readonly measuring: Measuring,
    private readonly progress: Progress,
    readonly host: string,
    private readonly rounds: readonly CellRound[],
  ) {
    progress.at(host, rounds.filter(isDue));
    const { plan, state } = measuring;
    this.budget = new RepeatBudget(rounds.filter(isRepeatable).length);
    const isHere = ({ baseline }: ComparedCells): boolean => baseline.subject.session.device.host === host;
    this.rule = stoppingRuleOf(plan.suite.performance);
    this.comparisons = this.rule ? comparisonsOf(state.cells).filter(isHere) : [];
  }

  async drive(): Promise<void> {
    await this.driveAll(this.rounds);
    if (this.rule === undefined) return;
    const { suite } = this.measuring.plan;
    for (let number = suite.performance.rounds; ; number++) {
      const round = await addedRound(this.measuring.state, this.comparisons, this.rule, number, suite.seed);
      if (round.length === 0) return;
      const due = round.filter(isDue);
      const first = this.progress.add(this.host, due.length);
      await this.driveAll(due.map((each, index) => ({ ...each, position: first + index })));
    }
  }

  private async driveAll(rounds: readonly CellRound[]): Promise<void> {
    for (const [index, round] of rounds.entries()) {
      if (!isDue(round)) continue;
      this.measuring.signal.throwIfAborted();
      const step = stepOf(isTimed(round.cell.scenario), round.round);
      await this.measuring.turns.take(this.host, step);
      await this.driveRound(round, rounds.slice(index + 1));
    }
  }

  /**
   * Measures a round, stores it and ends its cell if it was the last one, or if it failed.
   *
   * @param following - the rounds that come after it
   */
  private async driveRound(round: CellRound, following: readonly CellRound[]): Promise<void> {
    const { emit, state } = this.measuring;
    const { cell } = round;
    const left = following.filter(isDue);
    const started = performance.now();
    const progress: ShowProgress = (phase, done, begun = started) => {
      this.progress.at(this.host, left, { ...round, started: begun, done });
      return this.progressOf(round, phase, done);
    };
    const failure = state.spoiltBy(cell) ?? (await this.measure(round, started, progress));
    if (failure !== undefined) await state.fail(cell, failure);
    else if (!this.isOpenEnded(cell)) await state.endIfComplete(cell);
    this.progress.at(this.host, following.filter(isDue));
    emit({ kind: 'measured', ...this.progressOf(round, 'done', 1), failure });
    await this.measuring.onStored();
  }

  /** @returns how it failed; undefined when it did not */
  private async measure(
    { cell, round, position }: CellRound,
    started: number,
    progress: ShowProgress,
  ): Promise<Failure | undefined> {
    const { state, data } = this.measuring;
    const startedAt = new Date().toISOString();
    const timed = await this.undisturbed(cell, round, progress);
    if ('status' in timed) return timed;
    const { nodes, placement, repeats, begun } = timed;
    const measurement = await this.attempt(() => this.withMemory(cell, timed.measurement));
    if ('status' in measurement) return measurement;
    const embedded = await this.attempt(() => this.embedded(cell, timed.measurement, progress));
    if ('status' in embedded) return embedded;
    const seconds = (performance.now() - started) / 1000;
    // A store that takes no more ends the run: nothing that is measured from here on would be kept.
    await insertRound(
      state.db,
      { cellId: cell.id, round, position, startedAt, seconds, placement, repeats },
      measurement,
      data.test.classes,
      cell.scenario.kind === 'accuracy',
      nodes,
      embedded.scores,
    );
    cell.stored.add(round);
    const before = (begun - started) / 1000;
    this.progress.forecast.add(cell, seconds - before, before);
    const reason = await measurementFailure(state, cell, measurement);
    return reason && { status: 'failed', reason };
  }

  /**
   * Measures a cell until nothing disturbs it, or as often as the budget allows; the last time counts.
   *
   * @returns what it gave, or how it failed
   */
  private async undisturbed(cell: Cell, round: number, progress: ShowProgress): Promise<Kept | Failure> {
    const { emit } = this.measuring;
    for (let repeats = 0; ; repeats++) {
      const begun = performance.now();
      const measured = await this.attempt(() =>
        this.measured(cell, round, (event) => {
          if (event.event === 'phase') emit({ kind: 'measuring', ...progress(event.phase, 0, begun) });
          if (event.event === 'progress')
            emit({ kind: 'measuring', ...progress('steady', event.done, begun) });
        }),
      );
      if ('status' in measured) return measured;
      const [disturbance] = isTimed(cell.scenario)
        ? disturbancesOf(measured.measurement.conditions, measured.placement, this.usualPace(cell, measured))
        : [];
      const patience = disturbance && this.budget.take(disturbance, repeats);
      if (disturbance === undefined || patience === undefined) return { ...measured, repeats, begun };
      emit({ kind: 'disturbed', ...progress('waiting', 0, performance.now()), disturbance });
      if (this.host === THIS_MACHINE && patience > 0) await this.waitForQuiet(patience);
    }
  }

  /** The pace that a device's core usually has, this round included; undefined while too few rounds tell it. */
  private usualPace({ subject }: Cell, { measurement: { conditions } }: Measured): number | undefined {
    const seen = [...(this.seen.get(subject.session) ?? []), conditions];
    this.seen.set(subject.session, seen);
    return seen.length < LEAST_PACED_ROUNDS ? undefined : usualPace(seen);
  }

  /** Memory that others do not change, and that is measured once, after the timing that counts. */
  private async withMemory(cell: Cell, timed: Measurement): Promise<Measurement> {
    const { subject, scenario } = cell;
    if (scenario.kind !== 'performance') return timed;
    const { artifact, session } = subject;
    return session.withMemory(artifact, microBatchOf(cell), scenario.batch, timed);
  }

  /** What is made of the outputs of a variant without a head. */
  private async embedded(
    cell: Cell,
    { logits }: Measurement,
    progress: ShowProgress,
  ): Promise<{ readonly scores: EmbeddingScores | undefined }> {
    const { subject, scenario } = cell;
    const { artifact, session, variant } = subject;
    const { scoredBy } = variant.model;
    if (artifact.embedding === undefined || scoredBy === undefined) return { scores: undefined };
    if (scenario.kind !== 'accuracy') return { scores: {} };
    const { state, emit } = this.measuring;
    const bank = await session.bank(
      artifact,
      microBatchOf(cell),
      scenario.batch,
      scoredBy.images,
      (event) => {
        if (event.event === 'progress')
          emit({ kind: 'measuring', ...progress('training images', event.done) });
      },
    );
    const baseline = state.baselineScored(variant, session);
    const theirs = baseline && (await loadLogits(state.db, baseline.id));
    return { scores: await embeddingScores(logits, bank, scoredBy, theirs) };
  }

  private async waitForQuiet(seconds: number): Promise<void> {
    const started = performance.now();
    await waitForQuiet(seconds, this.measuring.signal);
    this.budget.waited((performance.now() - started) / 1000);
  }

  /**
   * Tries what concerns one cell alone.
   *
   * @returns what it gave, or how it failed: also in a way that nobody had expected, which fails this cell and not the run
   * @throws the signal's reason when it fires
   */
  private async attempt<T extends object>(work: () => Promise<T>): Promise<T | Failure> {
    try {
      return await work();
    } catch (error) {
      this.measuring.signal.throwIfAborted();
      // This machine's disk is full, say: neither the device's fault nor the code's.
      if (error instanceof ResourceError)
        return { status: 'failed', reason: { kind: 'text', text: error.message } };
      if (!(error instanceof DeviceError)) {
        const reason: CellFailure = { kind: 'internal', text: messageOf(error) };
        return { status: 'failed', reason };
      }
      const status = error instanceof UnsupportedError ? 'unsupported' : 'failed';
      return { status, reason: failureOf(error) };
    }
  }

  private async measured(
    cell: Cell,
    round: number,
    onEvent: (event: AgentEvent) => void,
  ): Promise<Measured | Failure> {
    const { artifact, session } = cell.subject;
    const { labels } = this.measuring.data.test;
    const reason = unsupportedReason(artifact, session.device, cell.scenario, labels.length);
    if (reason !== undefined) return { status: 'unsupported', reason };
    const microBatch = microBatchOf(cell);
    const measure = (): Promise<Measurement> =>
      session.measure(artifact, microBatch, cell.scenario, round, onEvent);
    const [measurement, placement] = isTimed(cell.scenario)
      ? await session.placement.around(measure)
      : [await measure(), undefined];
    const nodes = await profiledNodes(measurement.nodes, artifact, cell.scenario.batch, microBatch);
    return { measurement, nodes, placement };
  }

  /** Whether a cell is done only when its comparison is. */
  private isOpenEnded(cell: Cell): boolean {
    return this.comparisons.some(({ baseline, variants }) => baseline === cell || variants.includes(cell));
  }

  private progressOf({ cell, round, position }: CellRound, phase: string, done: number): RoundProgress {
    const { subject, scenario } = cell;
    const { rounds, over, overall, secondsLeft } = this.progress;
    return {
      variant: subject.variant.name,
      device: deviceName(subject.session.device.profile),
      ...{ scenario, round, position, rounds, over, overall, phase, done, secondsLeft },
      host: { name: this.host, ...this.progress.of(this.host) },
    };
  }
}
