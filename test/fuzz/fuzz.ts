import type { Failure } from './limits.js';
import { runBatch } from './supervise.js';

/** How a parser fared. */
export interface Row {
  readonly name: string;
  inputs: number;
  crashes: number;
  /** Inputs that took more than a second of the processor, or more memory than any may. */
  beyond: number;
  peakBytes: number;
}

/** What is to be driven, and how long. */
export interface FuzzOptions {
  /** The bundle of `child.ts`. */
  readonly child: string;
  readonly names: readonly string[];
  /** For all parsers together. */
  readonly seconds: number;
  readonly seed: number;
  readonly atOnce: number;
  /** So many inputs of each parser and no more; left out, as many as there is time for. */
  readonly runs?: number;
  readonly onFailure: (name: string, seed: number, failure: Failure) => void;
}

/** Inputs of one process: its memory does not grow for ever. */
const RUNS = 5000;

/** What one process of a parser gets at most, so that all get their turns. */
const TURN_SECONDS = 15;

/**
 * Drives parsers in turns until the time is over, or each has had its inputs.
 *
 * @param options - which, how long, and from which seed
 * @returns a row for each parser
 */
export async function fuzz(options: FuzzOptions): Promise<Row[]> {
  const { child, names, seconds, seed, atOnce, runs, onFailure } = options;
  const end = Date.now() + 1000 * seconds;
  const rows = names.map((name): Row => ({ name, inputs: 0, crashes: 0, beyond: 0, peakBytes: 0 }));
  let turn = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const number = turn++;
      const left = (end - Date.now()) / 1000;
      if (left < 1 || (runs !== undefined && number >= rows.length)) return;
      const row = rows[number % rows.length]!;
      const batchSeed = seed + Math.floor(number / rows.length);
      const share = (left * atOnce) / rows.length;
      const result = await runBatch({
        ...{ child, parser: row.name, seed: batchSeed, runs: runs ?? RUNS },
        seconds: runs === undefined ? Math.min(left, Math.max(2, Math.min(TURN_SECONDS, share))) : seconds,
      });
      row.inputs += result.inputs;
      row.peakBytes = Math.max(row.peakBytes, result.peakBytes);
      if (result.failure === undefined) continue;
      if (result.failure.kind === 'crash') row.crashes++;
      else row.beyond++;
      onFailure(row.name, batchSeed, result.failure);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return rows;
}
