import type { Problem } from '../api/contract.js';
import type { Answer, RouteName } from '../api/routes.js';
import { shell } from '../../text/dashboard/shell.js';

const API = '/api/v1';
/** Waits before a question that was not answered is asked again, in milliseconds. */
const AGAIN = [300, 1000];
const TOKEN = 'edgeflex-token';

/** What went wrong with a call: the server's own words. */
export class CallError extends Error {
  override readonly name = 'CallError';

  /**
   * @param problem - as the server tells it
   */
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  /** Whether another token may do what this one, or none, may not. */
  get needsToken(): boolean {
    return this.problem.status === 401;
  }
}

/** The token of this tab; null where it has none. */
export function storedToken(): string | null {
  return sessionStorage.getItem(TOKEN);
}

/**
 * Keeps a token in this tab, until it is closed.
 *
 * @param token - null: forgets it
 */
export function storeToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

/** Headers that every call has. */
export function authorised(): Record<string, string> {
  const token = storedToken();
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** What a call sends beside its path. */
export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Parts without a value are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Calls an endpoint.
 *
 * @param path - after `/api/v1`, with its parameters put in
 * @param options - what is sent
 * @returns what the endpoint answers
 * @throws CallError when the server refuses, or does not answer
 */
export async function call<Name extends RouteName>(
  path: string,
  { method = 'GET', query = {}, body, signal }: CallOptions = {},
): Promise<Answer<Name>> {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') asked.set(name, String(value));
  const search = asked.size === 0 ? '' : `?${asked}`;
  let response: Response;
  try {
    response = await fetched(`${API}${path}${search}`, {
      method,
      signal: signal ?? null,
      headers: {
        accept: 'application/json',
        ...authorised(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new CallError(problemOf(0, shell.unreachable, path));
  }
  if (response.ok) return (await response.json()) as Answer<Name>;
  throw new CallError(await problemIn(response, path));
}

/** Asks again where a network that came or went has taken the answer with it: reading twice changes nothing. */
async function fetched(address: string, options: RequestInit): Promise<Response> {
  for (const wait of options.method === 'GET' ? AGAIN : []) {
    try {
      return await fetch(address, options);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return fetch(address, options);
}

/** What of the page's own code was asked for and did not arrive, as an answer that did not. */
export function lostCode(detail: string, what: string): CallError {
  return new CallError(problemOf(0, detail, what));
}

async function problemIn(response: Response, path: string): Promise<Problem> {
  const isProblem = response.headers.get('content-type')?.includes('problem+json') === true;
  if (isProblem) return (await response.json()) as Problem;
  return problemOf(response.status, `${response.status} ${response.statusText}`, path);
}

function problemOf(status: number, detail: string, instance: string): Problem {
  return { type: 'about:blank', title: detail, status, detail, instance };
}
