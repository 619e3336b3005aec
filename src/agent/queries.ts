import type { AgentEvent } from '../protocol/events.js';
import type { PerformanceTask } from '../protocol/task.js';
import type { Session, Tensor } from '../runtime/engine.js';

/** Latencies are sent in portions of about so much measuring time, so that little is lost when the agent is killed. */
const REPORT_EVERY_MS = 500;

/** The device is looked at about so often while queries are timed, */
const LOOK_EVERY_MS = 1000;

/** and once more at the end, unless that was just done. */
const LAST_LOOK_AFTER_MS = 250;

/** The core's pace is looked at about so often: that takes 0.2 % of the time. */
const PACE_EVERY_MS = 50;

/** What watches over timed queries; all of it happens between them. */
export interface QueryWatch {
  /** A clock, in milliseconds. */
  now(): number;
  /** Receives latencies and progress, in portions. */
  emit(event: AgentEvent): void;
  /** Tells what the device is like. */
  look(): void;
  /** Looks how fast the core computes just now. */
  pace(): void;
}

/** One query: a whole batch from inputs on the host to outputs on the host. */
export interface Query {
  /** Runs it. Nothing but the runtime works in here: this is what is timed. */
  run(): Promise<Results>;
  /**
   * The outputs among what the runtime gave, by part.
   *
   * @throws Error when the model did not give one
   */
  outputsOf(results: Results): readonly Tensor[];
}

/** What the runtime gives for each part of a batch, by the names of the outputs. */
type Results = readonly Outputs[] | Outputs;
type Outputs = Awaited<ReturnType<Session['run']>>;

/**
 * A query of a model with one input.
 *
 * @param session - the open model
 * @param parts - the batch in micro-batches, which are run one after the other
 * @param named - the output that is wanted; left out, the first
 */
export function queryOf(session: Session, parts: readonly Tensor[], named?: string): Query {
  const [input] = session.inputNames as [string];
  const [first] = session.outputNames as [string];
  const output = named ?? first;
  // What nobody asks for need not come to the host.
  const wanted = session.outputNames.length > 1 && named !== undefined ? [named] : undefined;
  const feeds = parts.map((part) => ({ [input]: part }));
  const [only, ...others] = feeds;
  // A batch in one part is given to the runtime as it is: a promise of ours around its own takes microseconds, a share of what a
  // small model takes.
  const run =
    only !== undefined && others.length === 0
      ? () => session.run(only, wanted)
      : async () => {
          const results: Outputs[] = [];
          for (const feed of feeds) results.push(await session.run(feed, wanted));
          return results;
        };
  return {
    run,
    outputsOf(results) {
      return (isList(results) ? results : [results]).map((result) => {
        const tensor = result[output];
        if (tensor === undefined) throw new Error(`the model gave no ${output}`);
        return tensor;
      });
    },
  };
}

function isList(results: Results): results is readonly Outputs[] {
  return Array.isArray(results);
}

/**
 * Runs and times queries until there are enough.
 *
 * @param query - one query
 * @param bounds - at least so many, for at least so long, but no longer than that
 * @param watch - clock and ears
 * @returns the last query's outputs
 */
export async function timedQueries(
  query: Query,
  bounds: Pick<PerformanceTask, 'minQueries' | 'minSeconds' | 'maxSeconds'>,
  watch: QueryWatch,
): Promise<readonly Tensor[]> {
  const { minQueries, minSeconds, maxSeconds } = bounds;
  const begin = watch.now();
  const longEnough = begin + minSeconds * 1000;
  const latest = begin + maxSeconds * 1000;
  let latencies: number[] = [];
  let count = 0;
  let reported = begin;
  let looked = begin;
  let looks = 0;
  let paced = begin;
  for (;;) {
    const before = watch.now();
    const results = await query.run();
    const after = watch.now();
    latencies.push(after - before);
    count += 1;
    const over = (count >= minQueries && after >= longEnough) || after >= latest;
    if (over || after - reported >= REPORT_EVERY_MS) {
      watch.emit({ event: 'latencies', milliseconds: latencies });
      watch.emit({
        event: 'progress',
        done: over ? 1 : Math.min(1, count / minQueries, (after - begin) / 1000 / minSeconds),
      });
      latencies = [];
      reported = after;
    }
    if (after - paced >= PACE_EVERY_MS) {
      watch.pace();
      paced = after;
    }
    if (after - looked >= (over ? LAST_LOOK_AFTER_MS : LOOK_EVERY_MS) || (over && looks === 0)) {
      watch.look();
      looked = after;
      looks += 1;
    }
    if (over) return query.outputsOf(results);
  }
}
