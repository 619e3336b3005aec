import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';

/**
 * Whether a name matches one of some patterns, in which `*` stands for any characters: `layers.*.fc2` matches
 * `layers.11.fc2`.
 *
 * @param name - a linear or a tensor
 * @param patterns - what to compare it with
 */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(name);
  });
}

/**
 * Refuses a pattern that names nothing: what is misspelt would be left as it is without a word.
 *
 * @param place - of the patterns in a recipe: `quantize.keep`
 * @param patterns - as `matchesAny` takes them
 * @param names - that there are to match
 * @throws InputError that names the first such pattern
 */
export function refuseUnmatched(place: string, patterns: readonly string[], names: readonly string[]): void {
  const stray = patterns.find((pattern) => !names.some((name) => matchesAny(name, [pattern])));
  if (stray === undefined) return;
  const inBlocks = new Set(names.map((name) => name.replace(/^layers\.\d+\./, 'layers.*.')));
  throw new InputError({
    ...{ source: 'recipe', place },
    found: `"${stray}", which names nothing${didYouMean(stray, [...inBlocks])}`,
    expected: [...inBlocks].join(', '),
  });
}
