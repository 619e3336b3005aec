import { withoutControls } from '../base/control.js';
import { InputError, messageOf, ResourceError, type InputFault } from '../base/errors.js';
import { StoreError } from '../store/error.js';
import {
  fieldOfOption,
  problemStatus,
  problemTitle,
  problemWords,
  type ProblemKind,
} from '../text/problems.js';
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
 * @param thrown - what was thrown
 * @param path - that was asked for
 */
export function problemOf(thrown: unknown, path: string): Problem {
  const error = thrown instanceof InputError ? inFields(thrown) : thrown;
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

/** A fault in the words of a request: whoever fills in a form or calls the API has given no option of a command. */
function inFields(error: InputError): InputError {
  const fault = Object.fromEntries(
    Object.entries(error.fault).map(([key, text]: [string, string]) => [
      key,
      // Commands that are advised stay as they are.
      text.replace(/"edgeflex [^"]*"|--[a-z][a-z-]*/g, (word) => fieldOfOption[word] ?? word),
    ]),
  ) as unknown as InputFault;
  return error instanceof BadRequest ? new BadRequest(fault) : new InputError(fault);
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
