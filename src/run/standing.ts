import type { Db } from '../store/open.js';
import { storedRounds } from '../store/read.js';
import type { CellRow } from '../store/tables.js';
import type { Stopping } from '../store/stopping.js';
import { endCell, expectRounds } from '../store/write.js';
import type { Plan, PlannedCell, PlannedRound } from '../suite/plan.js';

/** How a cell ended that could not be measured. */
export interface Failure {
  readonly status: 'failed' | 'unsupported';
  readonly reason: string;
}

/** How far the cells of a run are: what is stored of each, and how each ended. All places of a run share one. */
export class Standing {
  private readonly status: Map<number, CellRow['status']>;
  /** How cells of a variant on a device that are not timed have failed. */
  private readonly failures = new Map<string, Failure>();

  private constructor(
    private readonly db: Db,
    private readonly plan: Plan,
    private readonly cells: readonly CellRow[],
    private readonly stored: ReadonlyMap<number, Set<number>>,
  ) {
    this.status = new Map(cells.map(({ status }, index) => [index, status]));
  }

  /**
   * Reads what an earlier execution of the run has left.
   *
   * @param cells - records of the plan's cells, in its order
   */
  static async of(db: Db, plan: Plan, cells: readonly CellRow[]): Promise<Standing> {
    const stored = new Map<number, Set<number>>();
    for (const [index, { id }] of cells.entries()) stored.set(index, new Set(await storedRounds(db, id)));
    return new Standing(db, plan, cells, stored);
  }

  /** Cells that have failed. */
  get failedCells(): number {
    return [...this.status.values()].filter((each) => each === 'failed').length;
  }

  /** How many rounds are stored beyond those of the plan. */
  get addedRounds(): number {
    const added = [...this.stored].map(([cell, rounds]) => {
      const { scenario } = this.plan.cells[cell]!;
      return scenario.kind === 'performance'
        ? [...rounds].filter((each) => each >= scenario.rounds).length
        : 0;
    });
    return added.reduce((sum, each) => sum + each, 0);
  }

  /** Whether a cell is neither done nor failed. */
  isPending(cell: number): boolean {
    return this.status.get(cell) === 'pending';
  }

  /** Whether a cell ended without having been measured. */
  hasFailed(cell: number): boolean {
    const status = this.status.get(cell);
    return status === 'failed' || status === 'unsupported';
  }

  /** Whether a round is still to be measured. */
  isDue({ cell, round }: PlannedRound): boolean {
    return this.isPending(cell) && !this.stored.get(cell)!.has(round);
  }

  /** How a cell ends without being measured, because its variant has failed on its device already; undefined when it does not. */
  spoiltBy(cell: number): Failure | undefined {
    const known = this.failures.get(ownerOf(this.plan.cells[cell]!));
    return known?.status === 'failed' ? { ...known, reason: `not timed, because ${known.reason}` } : known;
  }

  /** Takes note that a round is stored. */
  add({ cell, round }: PlannedRound): void {
    this.stored.get(cell)!.add(round);
  }

  /** Ends a cell as done when all of its rounds are stored. */
  async endIfComplete(cell: number): Promise<void> {
    if (this.stored.get(cell)!.size < this.cells[cell]!.rounds) return;
    await this.end(cell);
  }

  /**
   * Ends a cell as done.
   *
   * @param stopping - why it gets no more rounds, where their number is not fixed
   */
  async end(cell: number, stopping?: Stopping): Promise<void> {
    await endCell(this.db, this.cells[cell]!.id, 'done', null, stopping);
    this.status.set(cell, 'done');
  }

  /** Takes note that a cell is to have so many rounds. One that was done, as a baseline may be, is so no longer. */
  async expect(cell: number, rounds: number): Promise<void> {
    await expectRounds(this.db, this.cells[cell]!.id, rounds);
    this.status.set(cell, 'pending');
  }

  /** Ends a cell as failed or not supported. */
  async fail(cell: number, failure: Failure): Promise<void> {
    const { status, reason } = failure;
    await endCell(this.db, this.cells[cell]!.id, status, reason);
    this.status.set(cell, status);
    const planned = this.plan.cells[cell]!;
    const owner = ownerOf(planned);
    // The first one says why; the others follow from it.
    if (planned.scenario.kind !== 'performance' && !this.failures.has(owner))
      this.failures.set(owner, failure);
  }
}

/** Cells of one owner stand and fall together. */
function ownerOf({ variant, device }: PlannedCell): string {
  return `${variant} ${device}`;
}
