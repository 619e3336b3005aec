import type { ListedJob } from '../../queue/jobs.js';
import { listFleet, listJobs } from '../../queue/list.js';
import { requirementsText } from '../../queue/requirements.js';
import { drain } from '../../queue/roster.js';
import { problemWords } from '../../text/problems.js';
import type { Caller } from '../access/caller.js';
import type { Answer, Question } from '../api/routes.js';
import { RequestProblem } from '../problem.js';
import { queueOf, type Serving } from '../serving.js';
import { plannedSubmission } from './submission.js';

/** Jobs in an answer: whoever has more to look through asks the command line. */
const MOST_JOBS = 1000;

type ApiJob = Answer<'queue'>['jobs'][number];

/** `GET /queue`. */
export async function answerQueue(serving: Serving, { query }: Question<'queue'>): Promise<Answer<'queue'>> {
  const jobs = await listJobs(queueOf(serving), query.all ?? false, MOST_JOBS);
  return { jobs: jobsOf(jobs) };
}

/**
 * Jobs as the API has them.
 *
 * @param jobs - as `listJobs` gives them, from the first that waits on
 */
export function jobsOf(jobs: readonly ListedJob[]): ApiJob[] {
  const before = { measure: 0, compress: 0 };
  return jobs.map((job) => {
    const { id, queue, run, place, suite, person, priority, state, device, worker, on, rounds } = job;
    return {
      ...{ id, queue, run, place, suite, person, priority, state, device, worker, on, rounds },
      ahead: state === 'waiting' ? before[queue]++ : null,
      needs: requirementsText(job.needs),
      ...{ failedCells: job.failedCells, reason: job.reason, candidates: job.candidates },
      ...{ submittedAt: job.submittedAt, endedAt: job.endedAt },
    };
  });
}

/** `POST /queue`. */
export async function answerSubmit(
  serving: Serving,
  { body }: Question<'submit'>,
  caller: Caller,
): Promise<Answer<'submit'>> {
  const queue = queueOf(serving);
  const submission = await plannedSubmission(body, caller.name ?? caller.address);
  await queue.submit(submission);
  const { run, suite, jobs } = submission;
  return { id: run.uid, run: run.id, suite, jobs: jobs.length };
}

/** `DELETE /queue/:id`. */
export async function answerCancel(
  serving: Serving,
  { params }: Question<'cancel'>,
): Promise<Answer<'cancel'>> {
  const queue = queueOf(serving);
  const cancelled = await queue.cancelExactly(params.id);
  if (cancelled === undefined) throw new RequestProblem('not-found', problemWords.noJob(params.id));
  return { cancelled };
}

/** `POST /queue/devices/:name/drain`. */
export async function answerDrain(serving: Serving, { params }: Question<'drain'>): Promise<Answer<'drain'>> {
  const queue = queueOf(serving);
  const own = (await listFleet(queue)).filter(({ name }) => name === params.name);
  const workers: string[] = [];
  for (const worker of new Set(own.map((device) => device.worker)))
    if (await drain(queue, worker)) workers.push(worker);
  if (workers.length === 0) throw new RequestProblem('not-found', problemWords.noDevice(params.name));
  return { workers };
}
