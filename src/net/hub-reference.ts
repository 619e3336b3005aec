import { InputError } from '../base/errors.js';

/** A model on the Hub: its id, and the revision asked for (a branch, a tag or a commit). */
export interface HubReference {
  readonly repository: string;
  /** `main` unless another was asked for. */
  readonly revision: string;
}

const PART = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * What a model's name on the command line or in a suite says of the Hub: `owner/name`, or `owner/name@revision`.
 *
 * @param text - the name
 * @returns undefined when it is none of the Hub
 */
export function hubReference(text: string): HubReference | undefined {
  const [repository, revision = 'main', more] = text.split('@') as [string, string?, string?];
  const [owner, name, deeper] = repository.split('/');
  const named = owner !== undefined && name !== undefined && PART.test(owner) && PART.test(name);
  const plain = named && deeper === undefined && more === undefined && !repository.includes('..');
  return plain && /^[\w./-]+$/.test(revision) && !revision.includes('..')
    ? { repository, revision }
    : undefined;
}

/** The Hub's address: `HF_ENDPOINT`, or the official one. */
export function hubEndpoint(): string {
  const endpoint = (process.env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new InputError({
      source: 'HF_ENDPOINT',
      found: endpoint,
      expected: 'a URL that begins with http:// or https://',
    });
  return endpoint;
}

/** The token of `HF_TOKEN`; undefined where there is none. */
export function hubToken(): string | undefined {
  const token = process.env['HF_TOKEN']?.trim();
  if (token === undefined || token === '') return undefined;
  if (!/^hf_[A-Za-z0-9_-]+$/.test(token))
    throw new InputError({
      source: 'HF_TOKEN',
      found: `${token.length} characters that do not look like a token`,
      expected: 'a token that begins with hf_',
    });
  return token;
}
