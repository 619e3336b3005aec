import { messageOf } from '../base/errors.js';
import { UnsupportedModel } from './engine.js';

/**
 * How ONNX Runtime says, in a message and in no other way, that a provider has no kernel for a node; its web build also gives the
 * number of its status NOT_IMPLEMENTED.
 */
const WITHOUT_KERNEL = /Could not find an implementation for|ERROR_CODE: 9\b/;

/** The operator and its version in the same message. */
const OPERATOR = /Could not find an implementation for (\w+)\(\d+\)/;

/**
 * What opening a model failed with, as a fact where it is one: the only place that reads this message of the runtime.
 *
 * @param error - what the runtime threw
 * @returns an `UnsupportedModel` when there is no kernel for one of its nodes; the same error otherwise
 */
export function openingError(error: unknown): unknown {
  const message = messageOf(error);
  if (!WITHOUT_KERNEL.test(message)) return error;
  const operator = OPERATOR.exec(message)?.[1];
  return new UnsupportedModel(message, operator === undefined ? [] : [operator], { cause: error });
}
