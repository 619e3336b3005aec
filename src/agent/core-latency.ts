import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Two cells of the shared array that lie on cache lines of their own: the word that goes to and fro, and the end. */
const WORD = 0;
const END = 32;

/** Round trips before anything is timed: both sides are compiled, both cores awake. */
const WARM_UP_TRIPS = 20_000;

/** Round trips in a burst, and bursts: 0.2 ms and 10 ms on neighbouring cores, five times as much on distant ones. */
const TRIPS = 500;
const BURSTS = 50;

/** Without an answer for so long there is no second core for the other thread. */
const PATIENCE_MILLISECONDS = 2000;

/**
 * The other thread: answers each odd number with the next one. It is a text, because the agent must be one file on a board and
 * many on this machine. It lets go of the core when nothing comes, and ends when it is told to.
 */
const ANSWERING = `
  const { parentPort, workerData: { words, word, end } } = require('node:worker_threads');
  parentPort.postMessage('ready');
  for (let awaited = 1; Atomics.load(words, end) === 0; ) {
    if (Atomics.load(words, word) !== awaited) continue;
    Atomics.store(words, word, awaited + 1);
    awaited += 2;
  }
`;

/**
 * How long a cache line takes from the core of one thread to that of another: two threads hand a word to and fro, and neither
 * waits but by looking. On a virtual machine this tells whether its processors lie on one core complex or on two, which the
 * hypervisor decides, and which decides how fast threads that share data are.
 *
 * @returns one way, in nanoseconds, the mean of each burst; none where the process may use one processor alone, or the second
 *   thread got none
 */
export async function coreLatencies(): Promise<readonly number[]> {
  if (availableParallelism() < 2) return [];
  const words = new Int32Array(new SharedArrayBuffer(64 * Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(ANSWERING, { eval: true, workerData: { words, word: WORD, end: END } });
  try {
    await once(worker, 'message');
    let word = 1;
    /** @returns false where the other side does not answer */
    const trips = (count: number): boolean => {
      for (let trip = 0; trip < count; trip++) {
        Atomics.store(words, WORD, word);
        word += 2;
        for (let looks = 1; Atomics.load(words, WORD) !== word - 1; looks++)
          if (looks % 1_000_000 === 0 && performance.now() > latest) return false;
      }
      return true;
    };
    const latest = performance.now() + PATIENCE_MILLISECONDS;
    if (!trips(WARM_UP_TRIPS)) return [];
    const bursts: number[] = [];
    while (bursts.length < BURSTS && performance.now() < latest) {
      const before = process.hrtime.bigint();
      if (!trips(TRIPS)) return [];
      bursts.push(Number(process.hrtime.bigint() - before) / TRIPS / 2);
    }
    return bursts;
  } finally {
    Atomics.store(words, END, 1);
    await worker.terminate();
  }
}
