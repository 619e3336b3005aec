import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import { describeFault } from '../base/schema.js';
import type { Digest } from './download.js';
import { hubFetch, unreachable } from './hub-fetch.js';
import { HubUnreachable } from './hub-unreachable.js';
import { hubEndpoint, hubToken, type HubReference } from './hub-reference.js';

/** More files than that is no model. */
const MAX_FILES = 10_000;

/** The largest checkpoint that anybody publishes is smaller. */
const MAX_FILE_BYTES = 2 ** 40;

const commitSchema = z.string().regex(/^[0-9a-f]{40}$/, 'a commit of 40 hexadecimal digits');

/** A name inside a repository: it cannot lead out of a folder. */
const pathSchema = z
  .string()
  .max(1024)
  .refine(
    (path) =>
      !/[\\\p{Cc}]|^[A-Za-z]:/u.test(path) &&
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'a name without "..", backslashes, control characters and a leading "/"',
  );

const entrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('file'),
    path: pathSchema,
    size: z.number().int().nonnegative().max(MAX_FILE_BYTES),
    oid: commitSchema,
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256') }).optional(),
  }),
  z.object({ type: z.literal('directory') }),
  z.object({ type: z.literal('unknown') }),
]);

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

/**
 * Asks the Hub which commit a revision is and which files it has. What it answers is taken only as the schemas have it.
 *
 * @param reference - the model and its revision
 * @param signal - stops the questions
 * @throws InputError when there is no such model or revision, the token does not open it, or the answer is not one of a Hub;
 *   HubUnreachable without a connection
 */
export async function lookUp(reference: HubReference, signal: AbortSignal): Promise<HubRepository> {
  const token = hubToken();
  const endpoint = hubEndpoint();
  const common = {
    hubUrl: endpoint,
    ...(token !== undefined && { accessToken: token }),
    fetch: hubFetch(endpoint, signal),
  };
  const { repository, revision } = reference;
  const at = `${endpoint}/${repository}`;
  try {
    const info: unknown = await modelInfo({
      ...common,
      name: repository,
      revision,
      additionalFields: ['sha'],
    });
    const { sha } = parsed(at, z.object({ sha: commitSchema }), info);
    const files: HubFile[] = [];
    const tree = listFiles({ ...common, repo: { type: 'model', name: repository }, revision: sha });
    for await (const entry of tree as AsyncIterable<unknown>) {
      const file = parsed(at, entrySchema, entry);
      if (file.type !== 'file') continue;
      const { path, size, oid, lfs } = file;
      const digest: Digest = lfs ? { algorithm: 'sha256', hex: lfs.oid } : { algorithm: 'git', hex: oid };
      files.push({ path, bytes: size, digest });
      if (files.length > MAX_FILES) throw misunderstood(at, `more than ${MAX_FILES} files`, 'a model');
    }
    return { commit: sha, files };
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(reference, token, error);
  }
}

function parsed<Schema extends z.ZodType>(source: string, schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, found, expected } = describeFault(result.error, value);
  throw misunderstood(source, `${path.map(String).join('.') || 'an entry'} ${found}`, expected);
}

function misunderstood(source: string, found: string, expected: string): InputError {
  return new InputError({
    source,
    place: "the Hub's answer",
    found,
    expected,
    hint: 'HF_ENDPOINT names another address of the Hub.',
  });
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
  if (error instanceof InputError || error instanceof HubUnreachable) return error;
  // What the library could not read is no answer of a Hub.
  if (!(error instanceof HubApiError)) return misunderstood(endpoint, messageOf(error), 'an answer in JSON');
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
      hint: `Accept its terms at ${endpoint}/${repository}, or use a token that may read it.`,
    });
  return new InputError({
    source: repository,
    found: `no such model, or none of that revision (${revision}), at ${endpoint} (HTTP ${status})`,
    expected: 'the id of a model, such as google/vit-base-patch16-224',
    ...(token === undefined && { hint: 'If it is private or gated, set HF_TOKEN to an access token.' }),
  });
}
