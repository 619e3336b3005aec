import { InputError, type InputFault } from '../../src/base/errors.js';

/**
 * What is wrong with an input, as the code under test says it.
 *
 * @param attempt - must end with an `InputError`
 * @throws Error when it ends well, and whatever else it throws
 */
export async function refusalOf(attempt: () => unknown): Promise<InputFault> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof InputError) return error.fault;
    throw error;
  }
  throw new Error('the input was not refused');
}
