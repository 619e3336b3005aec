import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { foundBy, InputError } from '../../base/errors.js';

/** A pull request of GitHub (Gitea, Forgejo) or a merge request of GitLab, and what its comments are written with. */
export interface ReviewRequest {
  readonly host: 'github' | 'gitlab';
  /** Where the host's REST API is, without a slash at its end. */
  readonly api: string;
  /** `owner/name`; of GitLab the project's id. */
  readonly repository: string;
  readonly number: number;
  readonly token: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const eventSchema = z.object({ pull_request: z.object({ number: z.number().int().positive() }) });

/**
 * The request that a CI job is for, as its environment says.
 *
 * @param environment - the job's
 * @param number - of another request than the job's
 * @throws InputError that names the variable that is missing
 */
export function reviewRequest(environment: Environment, number?: number): ReviewRequest {
  const gitlab = environment['CI_API_V4_URL'];
  if (gitlab) {
    const own = environment['CI_MERGE_REQUEST_IID'];
    return {
      ...{ host: 'gitlab', api: withoutSlash(gitlab), repository: needed(environment, 'CI_PROJECT_ID') },
      number: number ?? numberIn(own, 'CI_MERGE_REQUEST_IID', 'a job of a merge request pipeline'),
      token: needed(environment, 'GITLAB_TOKEN', GITLAB_HINT),
    };
  }
  const repository = needed(environment, 'GITHUB_REPOSITORY');
  return {
    ...{ host: 'github', repository },
    api: withoutSlash(environment['GITHUB_API_URL'] || 'https://api.github.com'),
    number: number ?? pullRequest(environment),
    token: environment['GH_TOKEN'] || needed(environment, 'GITHUB_TOKEN', GITHUB_HINT),
  };
}

const GITHUB_HINT =
  'In a workflow: env: GITHUB_TOKEN: ${{ github.token }}, with the permission pull-requests: write.';
const GITLAB_HINT =
  "The job's own token may not write comments: make a project access token with the scope api, and put it into the CI variable GITLAB_TOKEN.";

function pullRequest(environment: Environment): number {
  const path = environment['GITHUB_EVENT_PATH'];
  const told = path ? eventSchema.safeParse(jsonIn(path)).data?.pull_request.number : undefined;
  if (told !== undefined) return told;
  const [, ofRef] = /^refs\/pull\/(\d+)\//.exec(environment['GITHUB_REF'] ?? '') ?? [];
  return numberIn(ofRef, 'GITHUB_EVENT_PATH', 'a job of the event pull_request');
}

function jsonIn(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError({ source: path, found: foundBy(error), expected: 'the event of the job, as JSON' });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError({ source: path, found: 'no JSON', expected: 'the event of the job, as JSON' });
  }
}

function numberIn(text: string | undefined, source: string, expected: string): number {
  const number = Number(text);
  if (text && Number.isSafeInteger(number) && number > 0) return number;
  throw new InputError({
    source,
    found: text ? `"${text}"` : 'no number of a pull request or merge request',
    expected,
    hint: '--number names one.',
  });
}

function needed(environment: Environment, name: string, hint?: string): string {
  const value = environment[name];
  if (value) return value;
  throw new InputError({
    source: name,
    found: 'nothing in the environment',
    expected: 'what GitHub Actions or GitLab CI set in a job',
    ...(hint !== undefined && { hint }),
  });
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '');
}
