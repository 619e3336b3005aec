import type { Conditions } from '../protocol/conditions.js';
import type { Memory } from '../protocol/events.js';
import type { MemoryMeans } from '../protocol/memory-means.js';
import type { AccuracyTask } from '../protocol/task.js';
import type { Engine, ModelSource } from '../runtime/engine.js';

/** What a device gives the agent: everything that differs between a process on a board and a page in a browser. */
export interface Host {
  /** A monotonic clock, in milliseconds since the agent began. */
  now(): number;
  /** Loads the runtime. */
  loadEngine(): Promise<Engine>;
  /** Processor time that the agent has taken, of all its threads, in milliseconds; left out where it cannot be seen. */
  cpuTime?(): number;
  /**
   * How long a cache line takes from one core to another, in nanoseconds, in each of some bursts; none where a thread has no
   * second core. Left out where threads cannot be had.
   */
  coreLatencies?(): Promise<readonly number[]>;
  /** By what it knows its memory, which may change peaks; undefined where it does not tell a peak. */
  memoryMeans(): MemoryMeans | undefined | Promise<MemoryMeans | undefined>;
  /** Memory now. */
  memory(): Memory | Promise<Memory>;
  /** Makes the next peak count from here, where the device can. */
  resetPeak(): void;
  /**
   * What the device is like now; loads are since the last call. Left out where it cannot be seen. It is called between timed
   * queries, so it must be over in a fraction of a millisecond and not leave much to collect.
   */
  conditions?(): Conditions;
  /**
   * How long a step of a computation takes now that is always the same, in nanoseconds; left out where the clock is too coarse. It is
   * called between timed queries, and over in a tenth of a millisecond.
   */
  pace?(): number;
  /**
   * How long a model must have run before a steady state is believed, in milliseconds; left out where what is seen decides. A browser
   * compiles what runs often once more, in the background, and until then every query is as slow as the one before.
   */
  readonly leastWarmup?: number;
  /** Throws away what the language no longer needs, so that its garbage is not taken for the model's memory. */
  collectGarbage(): void;
  /** Reads test images: `[indices.length, 3, height, width]`, uint8. */
  readImages(images: AccuracyTask['images'], indices: readonly number[]): Promise<Uint8Array>;
  /** Writes a prepared batch where a later agent can read it. */
  writeInputs(path: string, values: Float32Array): Promise<void>;
  /** Reads a prepared batch. */
  readInputs(path: string): Promise<Float32Array>;
  /** The model behind a path of the task. */
  modelSource(path: string): ModelSource;
  /** Name of the platform, for the record: `linux-x64 node 20.20.2`. */
  readonly platform: string;
}
