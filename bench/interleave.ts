import { median } from 'simple-statistics';
import { pairedRatio } from '../src/stats/ratio.js';

/** One of the things that are compared; gives the milliseconds of each of its queries. */
export interface Contender {
  readonly name: string;
  measure(): Promise<readonly number[]>;
}

/**
 * Does something a number of times.
 *
 * @returns the milliseconds that each took
 */
export async function timesOf(runs: number, act: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const before = performance.now();
    await act();
    times.push(performance.now() - before);
  }
  return times;
}

/**
 * Measures contenders in turn, in the other order every second round, and prints each one's median and how many times the
 * first one's time it takes, with a 95 % interval over the rounds.
 *
 * @param contenders - the first is the one that others are compared with
 * @param rounds - how often each has its turn
 */
export async function compare(contenders: readonly Contender[], rounds: number): Promise<void> {
  const samples = contenders.map(() => new Map<number, readonly number[]>());
  const indices = contenders.map((_, index) => index);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? indices : indices.toReversed();
    for (const index of order) samples[index]!.set(round, await contenders[index]!.measure());
  }
  for (const [index, { name }] of contenders.entries()) {
    const own = samples[index]!;
    const middle = median([...own.values()].flat());
    const ratio = index === 0 ? undefined : pairedRatio(own, samples[0]!);
    const against = ratio
      ? `  ${ratio.value.toFixed(3)} (${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)}) × ${contenders[0]!.name}`
      : '';
    console.log(`  ${name.padEnd(44)} ${middle.toFixed(4).padStart(10)} ms${against}`);
  }
}
