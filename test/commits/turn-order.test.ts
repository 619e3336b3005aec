import { describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { TurnOrder, type Turn } from '../../src/commits/turn-order.js';
import { PREPARING, REPORTING } from '../../src/protocol/turns.js';

const HERE = 'this machine';

/** A run that takes turns: the steps of its rounds on a host, in order. */
interface Runner {
  readonly name: string;
  readonly steps: readonly number[];
}

/** Lets runners take their turns in a random order of events, and says who had which. */
function race(runners: readonly Runner[], random: Random, dies?: string): { who: string; step: number }[] {
  const order = new TurnOrder(runners.map(({ name }) => name));
  const next = new Map(runners.map(({ name }) => [name, 0]));
  const had: { who: string; step: number }[] = [];
  const ready = new Set(runners.map(({ name }) => name));
  let holder: string | undefined;
  const begin = (turns: readonly Turn<string>[]): void => {
    for (const { who } of turns) {
      expect(holder).toBeUndefined();
      holder = who;
      had.push({ who, step: runners.find(({ name }) => name === who)!.steps[next.get(who)!]! });
      next.set(who, next.get(who)! + 1);
      ready.add(who);
    }
  };
  while (ready.size > 0) {
    const who = [...ready][random.integer(ready.size)]!;
    ready.delete(who);
    const step = runners.find(({ name }) => name === who)!.steps[next.get(who)!];
    if (holder === who) holder = undefined;
    const isDead = who === dies && had.length > 4;
    if (isDead) begin(order.without(who));
    else if (step === undefined) begin(order.ask(who, { kind: 'leave', host: HERE }));
    else begin(order.ask(who, { kind: 'take', host: HERE, step }));
  }
  return had;
}

/** A run of some cells in some rounds. */
function runner(name: string, cells: number, rounds: number): Runner {
  const timed = Array.from({ length: rounds * cells }, (_, index) => 1 + Math.floor(index / cells));
  return { name, steps: [PREPARING, ...Array<number>(cells).fill(0), ...timed, REPORTING] };
}

describe('turns', () => {
  it('of two runs alike go A B B A, and keep their rounds together', () => {
    for (let seed = 0; seed < 50; seed++) {
      const had = race([runner('a', 2, 3), runner('b', 2, 3)], seededRandom(seed));
      for (const step of [0, 1, 2, 3]) {
        const own = had.filter((each) => each.step === step).map(({ who }) => who);
        expect(own.join('')).toMatch(/^(abba|baab)$/);
      }
    }
  });

  it('of runs with different cells never leave one behind: no later step begins before all earlier ones are over', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 300; i++) {
      const of = (name: string): Runner => runner(name, 1 + random.integer(4), 1 + random.integer(5));
      const runners = [of('a'), of('b')];
      const had = race(runners, random);
      expect(had.map(({ step }) => step)).toEqual(had.map(({ step }) => step).sort((a, b) => a - b));
      for (const { name, steps } of runners)
        expect(had.filter(({ who }) => who === name).map(({ step }) => step)).toEqual(steps);
    }
  });

  it('go on without one that has gone', () => {
    for (let seed = 0; seed < 50; seed++) {
      const had = race([runner('a', 2, 3), runner('b', 2, 3)], seededRandom(seed), 'b');
      expect(had.filter(({ who }) => who === 'a')).toHaveLength(10);
    }
  });

  it('wait for who may still come, and for nobody who needs other hosts alone', () => {
    const order = new TurnOrder(['a', 'b']);
    expect(order.ask('a', { kind: 'take', host: 'board', step: 0 })).toEqual([]);
    expect(order.ask('b', { kind: 'only', hosts: [HERE] })).toEqual([{ who: 'a', host: 'board' }]);
    expect(order.ask('b', { kind: 'take', host: HERE, step: 0 })).toEqual([]);
    expect(order.ask('a', { kind: 'leave', host: HERE })).toEqual([{ who: 'b', host: HERE }]);
    // Who has left may come back, after whoever has the turn.
    expect(order.ask('a', { kind: 'take', host: HERE, step: REPORTING })).toEqual([]);
    expect(order.ask('b', { kind: 'take', host: HERE, step: 1 })).toEqual([{ who: 'b', host: HERE }]);
    expect(order.without('b')).toEqual([{ who: 'a', host: HERE }]);
  });
});
