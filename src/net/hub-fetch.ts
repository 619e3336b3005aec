import { InputError, messageOf } from '../base/errors.js';
import { HubUnreachable } from './hub-unreachable.js';

/** An answer about a model is some kilobytes; a page of a tree with 1,000 long names less than this. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;

/** An answer that takes longer never ends. */
const MAX_SECONDS = 60;

/** Pages of a tree, and redirects, that one question may lead to. */
const MAX_REQUESTS = 100;

/**
 * A `fetch` for the Hub's questions: only of the Hub itself, so that the token goes nowhere else, and bounded in bytes, time and
 * number.
 *
 * @param endpoint - the Hub's address
 * @param signal - stops a request
 * @returns `fetch`, which throws InputError for an answer that is too large or leads elsewhere, HubUnreachable without a connection
 */
export function hubFetch(endpoint: string, signal: AbortSignal): typeof fetch {
  const { origin } = new URL(endpoint);
  let requests = 0;
  return async (input, init) => {
    let url = new URL(input instanceof Request ? input.url : String(input));
    const late = AbortSignal.timeout(MAX_SECONDS * 1000);
    for (;;) {
      if (url.origin !== origin)
        throw refusal(endpoint, `an answer that leads to ${url.origin}`, 'answers of the Hub itself');
      if (++requests > MAX_REQUESTS)
        throw refusal(endpoint, `more than ${MAX_REQUESTS} answers`, 'a model with fewer files');
      const response = await request(endpoint, url, init, AbortSignal.any([signal, late]));
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return response;
      if (!URL.canParse(location, url.href))
        throw refusal(endpoint, `a redirect to ${JSON.stringify(location.slice(0, 80))}`, 'an address');
      url = new URL(location, url);
    }
  };
}

async function request(
  endpoint: string,
  url: URL,
  init: RequestInit | undefined,
  signal: AbortSignal,
): Promise<Response> {
  try {
    // By hand, as each step of a redirect is looked at.
    const response = await fetch(url, { ...init, signal, redirect: 'manual' });
    const body = await bounded(endpoint, response);
    const { status, statusText, headers } = response;
    return new Response([204, 304].includes(status) ? null : body, { status, statusText, headers });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreachable(endpoint, error);
  }
}

async function bounded(endpoint: string, { body }: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES)
      throw refusal(endpoint, `an answer of more than ${MAX_ANSWER_BYTES} bytes`, 'a short one');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal(endpoint: string, found: string, expected: string): InputError {
  return new InputError({
    source: endpoint,
    found,
    expected,
    hint: 'HF_ENDPOINT names another address of the Hub.',
  });
}

/**
 * The error for a Hub that does not answer.
 *
 * @param endpoint - its address
 * @param error - what happened
 */
export function unreachable(endpoint: string, error: unknown): HubUnreachable {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const reason = messageOf(cause) === '' ? messageOf(error) : messageOf(cause);
  return new HubUnreachable(
    `${endpoint}: no connection (${reason})\nIs this machine on the network? HF_ENDPOINT names another address of the Hub.`,
    { cause: error },
  );
}
