import { firstTwice } from './twice.js';

/**
 * The first key that a JSON object has twice: `JSON.parse` keeps the last one and drops the others without a word, which RFC 8259, section 4,
 * leaves to whoever reads. Keys of objects within it are not looked at.
 *
 * @param text - JSON, of an object, that `JSON.parse` takes
 * @returns undefined where each is there once
 */
export function repeatedKey(text: string): string | undefined {
  const keys: string[] = [];
  let depth = 0;
  // A string, with the colon that makes it a key, or what opens and closes objects and lists.
  for (const [token, string, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}[\]]/g)) {
    if (string === undefined) depth += token === '{' || token === '[' ? 1 : -1;
    else if (colon === ':' && depth === 1) keys.push(JSON.parse(string) as string);
  }
  return firstTwice(keys);
}
