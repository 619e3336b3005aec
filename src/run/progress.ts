import type { AddedRound, CellRound } from './cell.js';
import { Forecast } from './forecast.js';

/** A round that is being measured. */
interface Current extends CellRound {
  readonly started: number;
  /** Of the round, 0 … 1. */
  readonly done: number;
}

/** Where one host of a run is. */
interface Whereabouts {
  /** Rounds that follow. */
  readonly left: readonly AddedRound[];
  /** Undefined between rounds. */
  readonly current: Current | undefined;
  /** How many rounds it has, as far as is known. */
  readonly rounds: number;
}

/** How far one host of a run is. */
export interface HostProgress {
  /** How much of its rounds is over, 0 … 1. */
  readonly overall: number;
  /** Seconds until it is through, as far as can be said. */
  readonly secondsLeft: number;
}

/** How far the whole of a run is, of which several hosts may measure rounds at the same time. */
export class Progress {
  readonly forecast = new Forecast();
  private readonly hosts = new Map<string, Whereabouts>();

  /** @param total - how many rounds the run has, as far as is known */
  constructor(private total: number) {}

  /** How many rounds the run has, as far as is known. */
  get rounds(): number {
    return this.total;
  }

  /**
   * Takes note that a host will have more rounds than it had.
   *
   * @returns the position of the first of them in the run's order
   */
  add(host: string, rounds: number): number {
    const first = this.total;
    this.total += rounds;
    const known = this.hosts.get(host);
    if (known) this.hosts.set(host, { ...known, rounds: known.rounds + rounds });
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

  /** Seconds until the slowest host is through, as far as can be said. */
  get secondsLeft(): number {
    return Math.max(0, ...[...this.hosts.values()].map((host) => this.secondsOf(host)));
  }

  /**
   * Takes note of where a host is.
   *
   * @param host - which
   * @param left - the rounds that it still has before it
   * @param current - the round that it measures now
   */
  at(host: string, left: readonly AddedRound[], current?: Current): void {
    const rounds = this.hosts.get(host)?.rounds ?? left.length + (current ? 1 : 0);
    this.hosts.set(host, { left, current, rounds });
  }

  /**
   * How far a host is.
   *
   * @param host - which
   */
  of(host: string): HostProgress {
    const known = this.hosts.get(host);
    if (known === undefined || known.rounds === 0) return { overall: 1, secondsLeft: 0 };
    const { left, current, rounds } = known;
    const over = rounds - left.length - (current ? 1 - current.done : 0);
    return { overall: over / rounds, secondsLeft: this.secondsOf(known) };
  }

  private secondsOf({ left, current }: Whereabouts): number {
    const following = left.reduce((sum, { cell }) => sum + this.forecast.seconds(cell), 0);
    if (current === undefined) return following;
    const taken = (performance.now() - current.started) / 1000;
    return following + Math.max(0, this.forecast.seconds(current.cell) - taken);
  }

  private sum(of: (host: Whereabouts) => number): number {
    return [...this.hosts.values()].reduce((total, host) => total + of(host), 0);
  }
}
