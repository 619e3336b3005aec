import type { Plan, PlannedRound } from '../suite/plan.js';
import { Forecast } from './forecast.js';

/** A round that is being measured. */
interface Current {
  readonly started: number;
  /** Of the round, 0 … 1. */
  readonly done: number;
}

/** Where one place of a run is. */
interface Whereabouts {
  /** Rounds that follow. */
  readonly left: readonly PlannedRound[];
  /** Undefined between rounds. */
  readonly current: (Current & PlannedRound) | undefined;
}

/** How far the whole of a run is, of which several places may measure rounds at the same time. */
export class Course {
  readonly forecast = new Forecast();
  private readonly places = new Map<string, Whereabouts>();

  /**
   * @param plan - of the run
   * @param added - rounds beyond the plan that are over already
   */
  constructor(
    private readonly plan: Plan,
    private added: number,
  ) {}

  /** How many rounds the run has, as far as is known. */
  get rounds(): number {
    return this.plan.rounds.length + this.added;
  }

  /**
   * Takes note that there will be more rounds than there were.
   *
   * @returns the place of the first of them in the run's order
   */
  add(rounds: number): number {
    const first = this.rounds;
    this.added += rounds;
    return first;
  }

  /** How many of them are over, in whatever way. */
  get over(): number {
    return this.rounds - this.sum(({ left, current }) => left.length + (current ? 1 : 0));
  }

  /** How much of the run is over, 0 … 1. */
  get overall(): number {
    return (this.over + this.sum(({ current }) => current?.done ?? 0)) / this.rounds;
  }

  /** Seconds until the slowest place is through, as far as can be said. */
  get secondsLeft(): number {
    return Math.max(0, ...[...this.places.values()].map((place) => this.secondsOf(place)));
  }

  /**
   * Takes note of where a place is.
   *
   * @param place - which
   * @param left - the rounds that it still has before it
   * @param current - the round that it measures now
   */
  at(place: string, left: readonly PlannedRound[], current?: Whereabouts['current']): void {
    this.places.set(place, { left, current });
  }

  private secondsOf({ left, current }: Whereabouts): number {
    const following = left.reduce((sum, { cell }) => sum + this.forecast.seconds(this.plan.cells[cell]!), 0);
    if (current === undefined) return following;
    const taken = (performance.now() - current.started) / 1000;
    return following + Math.max(0, this.forecast.seconds(this.plan.cells[current.cell]!) - taken);
  }

  private sum(of: (place: Whereabouts) => number): number {
    return [...this.places.values()].reduce((total, place) => total + of(place), 0);
  }
}
