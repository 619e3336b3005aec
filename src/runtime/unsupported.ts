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
 * What opening a model failed with, as a fact where it is one: this file alone reads messages of the runtime.
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

/** How the runtime says that it does not know an operator: `com.example:Foo(-1) is not a registered function/op`. */
const NOT_REGISTERED = /(?:^|[^\w.])([\w.]+):(\w+)\(-?\d+\) is not a registered function\/op/;

/** An operator, its domain undefined where it is not told. */
export interface NamedOperator {
  readonly domain: string | undefined;
  readonly opType: string;
}

/**
 * The operator that a message of the runtime is about: one that it does not know, or has no kernel for.
 *
 * @param message - the runtime's
 * @returns undefined when it names none
 */
export function operatorIn(message: string): NamedOperator | undefined {
  const [, domain, unknown] = NOT_REGISTERED.exec(message) ?? [];
  if (unknown !== undefined) return { domain: domain === 'ai.onnx' ? '' : domain, opType: unknown };
  const opType = OPERATOR.exec(message)?.[1];
  return opType === undefined ? undefined : { domain: undefined, opType };
}
