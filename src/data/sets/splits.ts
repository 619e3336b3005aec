import { InputError } from '../../base/errors.js';
import { byCodePoints, type Splits } from './collected.js';
import type { Declaration } from './declaration.js';
import { listed } from './marks.js';

/** Words for splits in names of files and arrays. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing', 'eval', 'evaluation'],
  validation: ['validation', 'valid', 'val', 'dev'],
};

/** Splits that are scored where nothing else is said; the first that is there is taken. */
const TEST_SPLITS = ['test', 'validation'] as const;

/**
 * The split that a name speaks of: `cifar10-train` and `training` are both `train`.
 *
 * @param name - of a file, or a word of the name of an array
 * @returns the name itself where it speaks of none that is known, or of several
 */
export function splitNamed(name: string): string {
  const parts = name.toLowerCase().split(/[^a-z0-9]+/);
  const found = Object.entries(WORDS).filter(([, words]) => words.some((word) => parts.includes(word)));
  const [one, another] = found;
  return one !== undefined && another === undefined ? one[0] : name;
}

/** Whether a name is that of a known split. */
export function isSplit(name: string): boolean {
  return Object.hasOwn(WORDS, name);
}

/**
 * Chooses the splits of a set by their names: those that are declared, or `train` and the first of `test` and `validation`.
 *
 * @param present - names of the splits that are there
 * @param declaration - of the set
 * @returns their names
 * @throws InputError when one is missing, or a share is to be taken of one of several
 */
export function chosenSplits(
  present: readonly string[],
  { path, train, test, holdout }: Declaration,
): Splits<string> {
  const names = [...present].sort(byCodePoints);
  const refuse = (found: string, expected: string): InputError =>
    new InputError({
      source: path,
      place: 'splits',
      found,
      expected,
      hint: 'Name them with train and test; where there is one split only, holdout: 0.2 keeps a fifth of each class for the test.',
    });
  const are = names.length === 1 ? `the split ${names.join('')} alone` : `the splits ${listed(names)}`;
  if (holdout !== undefined && train === undefined && test === undefined) {
    const [only, another] = names;
    if (only === undefined || another !== undefined)
      throw refuse(`holdout, and ${are}`, 'holdout for one split alone');
    return { kind: 'one', all: only };
  }
  const find = (name: string): string => {
    const found = [name, splitNamed(name)].find((each) => names.includes(each));
    if (found === undefined) throw refuse(are, `the split ${name}`);
    return found;
  };
  const trainName = train ?? (names.includes('train') ? 'train' : undefined);
  const testName = test ?? TEST_SPLITS.find((name) => names.includes(name));
  if (trainName === undefined || testName === undefined)
    throw refuse(names.length === 0 ? 'none' : are, `train, and one of ${TEST_SPLITS.join(', ')}`);
  return { kind: 'declared', train: find(trainName), test: find(testName) };
}
