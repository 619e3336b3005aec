import { withoutControls } from '../base/control.js';
import { InputError, messageOf, ResourceError } from '../base/errors.js';
import { StoreError } from '../store/error.js';
import { problemStatus, problemTitle, problemWords, type ProblemKind } from '../text/problems.js';
import type { Problem } from './api/contract.js';

/** Why a request is not answered, in words. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';

  constructor(
    readonly kind: ProblemKind,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * What went wrong, as a caller is told.
 *
 * @param error - what was thrown
 * @param path - that was asked for
 */
export function problemOf(error: unknown, path: string): Problem {
  const kind = kindOf(error);
  return {
    type: `urn:edgeflex:problem:${kind}`,
    title: problemTitle(kind),
    status: problemStatus[kind],
    detail: kind === 'internal' ? problemWords.internal : withoutControls(detailOf(kind, error)),
    instance: path,
    ...(error instanceof InputError && kind !== 'unavailable' && { fault: { ...error.fault } }),
  };
}

function kindOf(error: unknown): ProblemKind {
  if (error instanceof RequestProblem) return error.kind;
  if (error instanceof StoreError) {
    const { kind } = error;
    return kind === 'busy' || kind === 'unreachable'
      ? 'unavailable'
      : kind === 'damaged'
        ? 'internal'
        : 'refused';
  }
  if (error instanceof InputError) return error instanceof BadRequest ? 'bad-request' : 'refused';
  if (error instanceof ResourceError) return 'unavailable';
  // What the server's libraries throw has a status.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return 'too-large';
  if (status === 429) return 'too-many';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'bad-request' : 'internal';
}

function detailOf(kind: ProblemKind, error: unknown): string {
  return kind === 'too-large' ? problemWords.tooLarge : messageOf(error);
}

/** A parameter, a query or a body that is not what the endpoint takes. */
export class BadRequest extends InputError {}
