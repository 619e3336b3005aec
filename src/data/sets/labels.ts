import { InputError } from '../../base/errors.js';
import { firstTwice } from '../../base/twice.js';
import type { Declaration } from './declaration.js';
import { textOf } from './text.js';

/**
 * The names of the classes that a declaration gives, or the file that it names.
 *
 * @param declaration - of a set
 * @returns undefined when it gives none
 * @throws InputError when the file cannot be read, holds fewer than two names, or a name is there twice
 */
export async function declaredLabels({
  labels,
  source,
}: Declaration): Promise<readonly string[] | undefined> {
  if (labels === undefined) return undefined;
  const from = typeof labels === 'string' ? labels : source;
  const names =
    typeof labels === 'string'
      ? (await textOf(labels, 'the names of the classes, one a line'))
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '')
      : labels;
  const twice = firstTwice(names);
  if (names.length < 2 || twice !== undefined)
    throw new InputError({
      source: from,
      place: 'labels',
      found: twice === undefined ? `${names.length} names` : `the name "${twice}" twice`,
      expected: 'the names of the classes, each once',
    });
  return names;
}
