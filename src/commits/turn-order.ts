import type { TurnRequest } from '../protocol/turns.js';

/** Whose turn it is. */
export interface Turn<Who> {
  readonly who: Who;
  readonly host: string;
}

/** What is known of a host. */
interface HostState<Who> {
  holder: Who | undefined;
  /** Who had the turn before. */
  last: Who | undefined;
  /** The step that each waits for. */
  readonly waiting: Map<Who, number>;
  /** How many turns each has had in its newest step. */
  readonly had: Map<Who, { readonly step: number; readonly turns: number }>;
  readonly left: Set<Who>;
}

/**
 * Decides whose turn it is on each host. Nobody gets a turn while another who may still come has not asked for one; the lowest step goes
 * first, and within a step who had fewer turns in it. Of two who had as many it is the one that had the last turn, so that they alternate as
 * A B B A A B: what drifts steadily hits both alike.
 */
export class TurnOrder<Who> {
  private readonly hosts = new Map<string, HostState<Who>>();
  private readonly present: Set<Who>;
  private readonly needs = new Map<Who, ReadonlySet<string>>();

  /**
   * @param participants - all who take turns, in the order in which they begin
   */
  constructor(private readonly participants: readonly Who[]) {
    this.present = new Set(participants);
  }

  /**
   * Takes a request.
   *
   * @param who - one of the participants
   * @param request - what it says
   * @returns the turns that begin now
   */
  ask(who: Who, request: TurnRequest): Turn<Who>[] {
    if (!this.present.has(who)) return [];
    if (request.kind === 'only') {
      this.needs.set(who, new Set(request.hosts));
      for (const [name, host] of this.hosts) if (!request.hosts.includes(name)) this.release(host, who);
      return this.granted();
    }
    const host = this.stateOf(request.host);
    this.release(host, who);
    if (request.kind === 'leave') host.left.add(who);
    else {
      // Who has left may come back.
      host.left.delete(who);
      host.waiting.set(who, request.step);
    }
    return this.granted();
  }

  /**
   * Goes on without somebody.
   *
   * @param who - one of the participants
   * @returns the turns that begin now
   */
  without(who: Who): Turn<Who>[] {
    this.present.delete(who);
    for (const host of this.hosts.values()) this.release(host, who);
    return this.granted();
  }

  private release(host: HostState<Who>, who: Who): void {
    host.waiting.delete(who);
    if (host.holder !== who) return;
    host.holder = undefined;
    host.last = who;
  }

  private stateOf(name: string): HostState<Who> {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const state: HostState<Who> = {
      ...{ holder: undefined, last: undefined },
      ...{ waiting: new Map(), had: new Map(), left: new Set() },
    };
    this.hosts.set(name, state);
    return state;
  }

  private granted(): Turn<Who>[] {
    return [...this.hosts].flatMap(([name, host]) => {
      const who = this.next(name, host);
      if (who === undefined) return [];
      const { step, turns } = this.hadBy(host, who);
      host.had.set(who, { step, turns: turns + 1 });
      host.waiting.delete(who);
      host.holder = who;
      return [{ who, host: name }];
    });
  }

  private next(name: string, host: HostState<Who>): Who | undefined {
    if (host.holder !== undefined) return undefined;
    const mayCome = this.participants.filter(
      (who) => this.present.has(who) && !host.left.has(who) && (this.needs.get(who)?.has(name) ?? true),
    );
    if (mayCome.some((who) => !host.waiting.has(who))) return undefined;
    // Sorting is stable: those who are alike stay in the order of the participants.
    const [first] = mayCome.sort((a, b) => {
      const [one, other] = [this.hadBy(host, a), this.hadBy(host, b)];
      return (
        one.step - other.step || one.turns - other.turns || Number(b === host.last) - Number(a === host.last)
      );
    });
    return first;
  }

  /** The step that somebody waits for, and the turns it had in it. */
  private hadBy(host: HostState<Who>, who: Who): { readonly step: number; readonly turns: number } {
    const step = host.waiting.get(who) ?? 0;
    const had = host.had.get(who);
    return { step, turns: had?.step === step ? had.turns : 0 };
  }
}
