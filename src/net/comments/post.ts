import { z } from 'zod';
import { DeviceError, firstLine, InputError, messageOf } from '../../base/errors.js';
import type { ReviewRequest } from './request.js';

/** What became of a comment. */
export interface PostedComment {
  /** Whether an earlier one was replaced. */
  readonly updated: boolean;
  /** The host's number of it. */
  readonly id: number;
}

/** Comments of a page of the list, and pages that are looked through at most. */
const PAGE = 100;
const MOST_PAGES = 100;

/** After so many milliseconds without an answer the host counts as unreachable. */
const PATIENCE = 60_000;

const commentSchema = z.object({ id: z.number().int(), body: z.string().nullish() });

/** How hosts differ: where comments lie, what an edit is, and how the token is sent. */
interface HostForm {
  readonly list: (request: ReviewRequest) => string;
  readonly one: (request: ReviewRequest, id: number) => string;
  readonly edit: 'PATCH' | 'PUT';
  readonly headers: (token: string) => Readonly<Record<string, string>>;
}

/**
 * docs.github.com, "REST API endpoints for issue comments" (a pull request is an issue; Gitea and Forgejo have the same paths);
 * docs.gitlab.com, "Notes API".
 */
const forms: Readonly<Record<ReviewRequest['host'], HostForm>> = {
  github: {
    list: ({ api, repository, number }) => `${api}/repos/${repository}/issues/${number}/comments`,
    one: ({ api, repository }, id) => `${api}/repos/${repository}/issues/comments/${id}`,
    edit: 'PATCH',
    headers: (token) => ({
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    }),
  },
  gitlab: {
    list: ({ api, repository, number }) =>
      `${api}/projects/${encodeURIComponent(repository)}/merge_requests/${number}/notes`,
    one: (request, id) => `${forms.gitlab.list(request)}/${id}`,
    edit: 'PUT',
    headers: (token) => ({ 'private-token': token }),
  },
};

/**
 * Writes the one comment of a name: the first that begins with its hidden marker is replaced; where there is none, one is added.
 *
 * @param request - where to
 * @param name - tells comments of several suites apart; of letters, digits, `.`, `_`, `-` and `/`
 * @param markdown - the comment
 * @param signal - stops it
 * @throws InputError when the host refuses, with what it says; DeviceError when it cannot be reached; the signal's reason when it fires
 */
export async function postComment(
  request: ReviewRequest,
  name: string,
  markdown: string,
  signal: AbortSignal,
): Promise<PostedComment> {
  const marker = markerOf(name);
  const body = JSON.stringify({ body: `${marker}\n${markdown}` });
  const form = forms[request.host];
  const earlier = await commentWith(marker, request, signal);
  const [method, address] =
    earlier === undefined
      ? (['POST', form.list(request)] as const)
      : ([form.edit, form.one(request, earlier)] as const);
  const { id } = commentSchema.parse(await ask(request, method, address, signal, body));
  return { updated: earlier !== undefined, id };
}

/** A comment of HTML is shown by nobody. */
function markerOf(name: string): string {
  return `<!-- edgeflex: ${name} -->`;
}

async function commentWith(
  marker: string,
  request: ReviewRequest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const seen = new Set<number>();
  for (let page = 1; page <= MOST_PAGES; page++) {
    const address = `${forms[request.host].list(request)}?per_page=${PAGE}&page=${page}`;
    const comments = z.array(commentSchema).parse(await ask(request, 'GET', address, signal));
    const own = comments.find(({ body }) => body?.startsWith(marker));
    if (own !== undefined) return own.id;
    // Some hosts give all of them on every page.
    if (comments.length < PAGE || comments.every(({ id }) => seen.has(id))) return undefined;
    for (const { id } of comments) seen.add(id);
  }
  return undefined;
}

async function ask(
  request: ReviewRequest,
  method: string,
  address: string,
  signal: AbortSignal,
  body?: string,
): Promise<unknown> {
  const { host, token } = request;
  let response: Response;
  let said: string;
  try {
    response = await fetch(address, {
      method,
      headers: {
        ...forms[host].headers(token),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        'user-agent': 'edgeflex',
      },
      ...(body !== undefined && { body }),
      // The token is for this host alone.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    said = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error as { readonly cause?: unknown };
    throw new DeviceError(`${method} ${address}: ${messageOf(cause ?? error)}`);
  }
  if (!response.ok) throw refusal(method, address, response.status, said, host);
  try {
    return JSON.parse(said);
  } catch {
    throw new InputError({
      source: address,
      found: 'an answer that is no JSON',
      expected: `the REST API of ${host}`,
    });
  }
}

const HINTS: Readonly<Record<ReviewRequest['host'], string>> = {
  github:
    'A workflow needs the permission pull-requests: write; on pull requests of forks its token may only read, so that nothing can be written there.',
  gitlab: 'The token needs the scope api and the role Reporter or higher.',
};

function refusal(
  method: string,
  address: string,
  status: number,
  said: string,
  host: ReviewRequest['host'],
): InputError {
  const isOfToken = status === 401 || status === 403 || status === 404;
  return new InputError({
    source: `${method} ${address}`,
    found: `status ${status}: ${firstLine(said).slice(0, 300)}`,
    expected: 'that the token may read and write comments there',
    ...(isOfToken && { hint: HINTS[host] }),
  });
}
