import type { JobQueue } from '../queue/queue.js';
import type { Db } from '../store/open.js';
import { problemWords } from '../text/problems.js';
import type { Analyst } from './analyst/analyst.js';
import { RequestProblem } from './problem.js';

/** What is served: everything that answers come from. */
export interface Serving {
  readonly db: Db;
  /** Where results lie, as `openStore` takes it. */
  readonly place: string;
  /** Undefined where results lie in a folder. */
  readonly queue: JobQueue | undefined;
  readonly analyst: Analyst;
}

/**
 * The queue.
 *
 * @throws RequestProblem where there is none
 */
export function queueOf({ queue }: Serving): JobQueue {
  if (queue === undefined) throw new RequestProblem('no-queue', problemWords.noQueue);
  return queue;
}
