import type { InferenceSession } from 'onnxruntime-common';

/**
 * The type of the elements of a session's first input.
 *
 * @param session - of either runtime
 * @returns `unknown` where the runtime does not tell
 */
export function inputTypeOf({ inputMetadata }: InferenceSession): string {
  const [first] = inputMetadata;
  return first?.isTensor === true ? first.type : 'unknown';
}
