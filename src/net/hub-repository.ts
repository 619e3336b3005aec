import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { DeviceError, InputError, messageOf } from '../base/errors.js';
import type { Digest } from './download.js';
import { hubEndpoint, hubToken, type HubReference } from './hub-reference.js';

/** A file of a model on the Hub. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** What it must be: SHA-256 of what lies in large-file storage, git's own name of the rest. */
  readonly digest: Digest;
}

/** A model on the Hub at one commit. */
export interface HubRepository {
  readonly commit: string;
  /** The files in its top folder. */
  readonly files: readonly HubFile[];
}

/** The Hub cannot be reached. */
export class HubUnreachable extends DeviceError {}

/**
 * Asks the Hub which commit a revision is and which files it has.
 *
 * @param reference - the model and its revision
 * @param signal - stops the questions
 * @throws InputError when there is no such model or revision, or the token does not open it; HubUnreachable without a
 *   connection
 */
export async function lookUp(reference: HubReference, signal: AbortSignal): Promise<HubRepository> {
  const token = hubToken();
  const common = {
    hubUrl: hubEndpoint(),
    ...(token !== undefined && { accessToken: token }),
    fetch: ((input, init) => fetch(input, { ...init, signal })) satisfies typeof fetch,
  };
  const { repository, revision } = reference;
  try {
    const { sha } = await modelInfo({ ...common, name: repository, revision, additionalFields: ['sha'] });
    const files: HubFile[] = [];
    for await (const entry of listFiles({
      ...common,
      repo: { type: 'model', name: repository },
      revision: sha,
    })) {
      const { type, path, size, oid, lfs } = entry;
      if (type !== 'file' || oid === undefined) continue;
      files.push({
        path,
        bytes: size,
        digest: lfs ? { algorithm: 'sha256', hex: lfs.oid } : { algorithm: 'git', hex: oid },
      });
    }
    return { commit: sha, files };
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(reference, token, error);
  }
}

/**
 * Puts what the Hub answered into words.
 *
 * @param reference - what was asked for
 * @param token - what was shown
 * @param error - what the library threw
 */
function refusal({ repository, revision }: HubReference, token: string | undefined, error: unknown): Error {
  const endpoint = hubEndpoint();
  if (!(error instanceof HubApiError)) return unreachable(endpoint, error);
  const { statusCode: status } = error;
  if (status >= 500 || status === 429) return unreachable(endpoint, new Error(`HTTP ${status}`));
  if (status === 401 && token !== undefined)
    return new InputError({
      source: 'HF_TOKEN',
      found: `a token that ${endpoint} does not accept (HTTP 401)`,
      expected: 'a valid access token, or none',
    });
  if (status === 403)
    return new InputError({
      source: repository,
      found: 'a model that this token does not open (HTTP 403)',
      expected: 'a model you have access to',
      hint: `Accept its terms at ${endpoint}/${repository}, or give HF_TOKEN the right to read it.`,
    });
  return new InputError({
    source: repository,
    found: `no such model, or none of that revision (${revision}), at ${endpoint} (HTTP ${status})`,
    expected: 'the id of a model, such as google/vit-base-patch16-224',
    ...(token === undefined && { hint: 'If it is private or gated, put an access token into HF_TOKEN.' }),
  });
}

function unreachable(endpoint: string, error: unknown): HubUnreachable {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const reason = messageOf(cause) === '' ? messageOf(error) : messageOf(cause);
  return new HubUnreachable(
    `${endpoint}: no connection (${reason})\nIs this machine on the network? HF_ENDPOINT names another address of the Hub.`,
    { cause: error },
  );
}
