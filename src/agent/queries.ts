import type { AgentEvent } from '../protocol/events.js';
import type { PerformanceTask } from '../protocol/task.js';
import type { Session, Tensor } from '../runtime/engine.js';

/** Latencies are sent in portions of about so much measuring time, so that little is lost when the agent is killed. */
const REPORT_EVERY_MS = 500;

/** One query: a whole batch from inputs on the host to outputs on the host. */
export type Query = () => Promise<readonly Tensor[]>;

/**
 * A query of a model with one input and one output.
 *
 * @param session - the open model
 * @param parts - the batch in micro-batches, which are run one after the other
 */
export function queryOf(session: Session, parts: readonly Tensor[]): Query {
  const [input] = session.inputNames as [string];
  const [output] = session.outputNames as [string];
  const feeds = parts.map((part) => ({ [input]: part }));
  return async () => {
    const outputs: Tensor[] = [];
    for (const feed of feeds) outputs.push((await session.run(feed))[output]!);
    return outputs;
  };
}

/**
 * Runs and times queries until there are enough.
 *
 * @param query - one query
 * @param bounds - at least so many, for at least so long, but no longer than that
 * @param now - a clock, in milliseconds
 * @param emit - receives latencies and progress, in portions
 * @returns the last query's outputs
 */
export async function timedQueries(
  query: Query,
  bounds: Pick<PerformanceTask, 'minQueries' | 'minSeconds' | 'maxSeconds'>,
  now: () => number,
  emit: (event: AgentEvent) => void,
): Promise<readonly Tensor[]> {
  const { minQueries, minSeconds, maxSeconds } = bounds;
  const begin = now();
  const longEnough = begin + minSeconds * 1000;
  const latest = begin + maxSeconds * 1000;
  let latencies: number[] = [];
  let count = 0;
  let reported = begin;
  for (;;) {
    const before = now();
    const outputs = await query();
    const after = now();
    latencies.push(after - before);
    count += 1;
    const over = (count >= minQueries && after >= longEnough) || after >= latest;
    if (over || after - reported >= REPORT_EVERY_MS) {
      emit({ event: 'latencies', milliseconds: latencies });
      emit({
        event: 'progress',
        done: over ? 1 : Math.min(1, count / minQueries, (after - begin) / 1000 / minSeconds),
      });
      latencies = [];
      reported = after;
    }
    if (over) return outputs;
  }
}
