import type { CellFailure } from '../protocol/failure.js';
import type { Db } from '../store/open.js';
import type { Stopping } from '../store/stopping.js';
import { endCell, expectRounds } from '../store/write.js';
import { isTimed } from '../suite/plan.js';
import type { Cell, Subject } from './cell.js';
import type { DeviceSession } from './session.js';

/** How a cell ended that could not be measured. */
export interface Failure {
  readonly status: 'failed' | 'unsupported';
  readonly reason: CellFailure;
}

/** How far the cells of a run are: in memory and in the store alike. All hosts of a run share one. */
export class RunState {
  /** How cells of a variant on a device that are not timed have failed. */
  private readonly failures = new Map<Subject, Failure>();

  /**
   * @param db - the store
   * @param cells - of the run, in the plan's order
   */
  constructor(
    readonly db: Db,
    readonly cells: readonly Cell[],
  ) {}

  /** Cells that have failed. */
  get failedCells(): number {
    return this.cells.filter(({ status }) => status === 'failed').length;
  }

  /** How many rounds are stored beyond those of the plan. */
  get addedRounds(): number {
    return this.cells.reduce((sum, { scenario, stored }) => {
      if (!isTimed(scenario)) return sum;
      return sum + [...stored].filter((round) => round >= scenario.rounds).length;
    }, 0);
  }

  /** The cell in which a variant is scored on a device. */
  accuracyCell(variant: Subject['variant'], session: DeviceSession): Cell | undefined {
    return this.cells.find(
      ({ subject, scenario }) =>
        subject.variant === variant && subject.session === session && scenario.kind === 'accuracy',
    );
  }

  /** The cell in which the baseline of a variant's model is scored on a device, once it is done. */
  baselineScored({ planned }: Subject['variant'], session: DeviceSession): Cell | undefined {
    return this.cells.find(
      ({ subject: { variant, session: other }, scenario, status }) =>
        scenario.kind === 'accuracy' &&
        status === 'done' &&
        other === session &&
        variant.isBaseline &&
        variant.planned.model === planned.model,
    );
  }

  /** How a cell ends without being measured, because its variant has failed on its device already; undefined when it does not. */
  spoiltBy({ subject }: Cell): Failure | undefined {
    const known = this.failures.get(subject);
    if (known?.status !== 'failed' || known.reason.kind === 'not-timed') return known;
    return { ...known, reason: { kind: 'not-timed', because: known.reason } };
  }

  /** Ends a cell as done when all of its rounds are stored. */
  async endIfComplete(cell: Cell): Promise<void> {
    if (cell.stored.size >= cell.rounds) await this.end(cell);
  }

  /**
   * Ends a cell as done.
   *
   * @param stopping - why it gets no more rounds, where their number is not fixed
   */
  async end(cell: Cell, stopping?: Stopping): Promise<void> {
    await endCell(this.db, cell.id, 'done', null, stopping);
    cell.status = 'done';
  }

  /** Takes note that a cell is to have so many rounds. One that was done, as a baseline may be, is so no longer. */
  async expect(cell: Cell, rounds: number): Promise<void> {
    await expectRounds(this.db, cell.id, rounds);
    cell.rounds = rounds;
    cell.status = 'pending';
  }

  /** Ends a cell as failed or not supported. */
  async fail(cell: Cell, failure: Failure): Promise<void> {
    await endCell(this.db, cell.id, failure.status, failure.reason);
    cell.status = failure.status;
    // The first one says why; the others follow from it. But what has other classes can still be timed.
    const spoils = !isTimed(cell.scenario) && failure.reason.kind !== 'other-classes';
    if (spoils && !this.failures.has(cell.subject)) this.failures.set(cell.subject, failure);
  }
}
