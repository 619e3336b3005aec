import { faultAt, show, type YamlFile } from '../../base/schema.js';
import { didYouMean } from '../../base/similar.js';
import { fullFactorial, leaveOneOut, oneAtATime, type Combination } from './combinations.js';
import { levelName, type MatrixFactor } from './factors.js';
import { combinationsOf, MOST_FRACTIONAL, smallestFraction, type Fraction } from './fraction.js';
import type { MatrixFile } from './schema.js';

/** Combinations of a matrix at most: at half a minute each they take more than two hours, on one device. */
const MOST_COMBINATIONS = 512;

/** Which combinations of levels a matrix has. */
export interface Chosen {
  readonly combinations: readonly Combination[];
  /** Of a fractional design. */
  readonly fraction: Fraction | undefined;
}

/**
 * The combinations of levels that a matrix's design has, without those that it excludes.
 *
 * @param file - the suite
 * @param matrix - its matrix
 * @param factors - of the matrix
 * @throws InputError when there are too many or fewer than two, the design cannot be of these factors, or an exclusion is not understood
 */
export function chosenCombinations(
  file: YamlFile,
  matrix: MatrixFile,
  factors: readonly MatrixFactor[],
): Chosen {
  const { design, resolution } = matrix;
  // Seeds are replicates: every combination of the others is made with each of them.
  const seed = factors.findIndex(({ kind }) => kind === 'seed');
  const counts = factors.filter((_, index) => index !== seed).map(({ levels }) => levels.length);
  const seeds = factors[seed]?.levels.length ?? 1;
  if (resolution !== undefined && design !== 'fractional-factorial')
    throw faultAt(
      file,
      ['matrix', 'resolution'],
      `a resolution of a design ${design}`,
      'fractional-factorial with it',
    );
  const fraction =
    design === 'fractional-factorial' ? fractionOf(file, factors, counts, resolution ?? 4) : undefined;
  const number = {
    'full-factorial': counts.reduce((product, count) => product * count, 1),
    'fractional-factorial': 2 ** (counts.length - (fraction?.generators.length ?? 0)),
    'one-at-a-time': counts.reduce((sum, count) => sum + count - 1, 1),
    'leave-one-out': counts.length + 1,
  }[design];
  if (number * seeds > MOST_COMBINATIONS)
    throw faultAt(
      file,
      ['matrix', 'factors'],
      `${number * seeds} combinations`,
      `at most ${MOST_COMBINATIONS}: fewer factors or levels, or the design one-at-a-time, leave-one-out or fractional-factorial`,
    );
  const others = withoutSeeds(design, counts, fraction);
  const combinations =
    seed < 0
      ? others
      : Array.from({ length: seeds }, (_, level) =>
          others.map((each) => each.toSpliced(seed, 0, level)),
        ).flat();
  return {
    combinations: withoutExcluded(file, matrix, factors, combinations),
    fraction: fraction && placedAmong(fraction, seed),
  };
}

function withoutSeeds(
  design: MatrixFile['design'],
  counts: readonly number[],
  fraction: Fraction | undefined,
): readonly Combination[] {
  if (fraction) return combinationsOf(counts.length, fraction);
  if (design === 'one-at-a-time') return oneAtATime(counts);
  return design === 'leave-one-out' ? leaveOneOut(counts) : fullFactorial(counts);
}

/** Indices of factors as they are among all, the seed among them. */
function placedAmong({ resolution, generators }: Fraction, seed: number): Fraction {
  const place = (factor: number): number => (seed >= 0 && factor >= seed ? factor + 1 : factor);
  return {
    resolution,
    generators: generators.map(({ factor, of }) => ({ factor: place(factor), of: of.map(place) })),
  };
}

function fractionOf(
  file: YamlFile,
  factors: readonly MatrixFactor[],
  counts: readonly number[],
  resolution: number,
): Fraction {
  const other = factors.find(({ kind, levels }) => kind !== 'seed' && levels.length !== 2);
  if (other)
    throw faultAt(
      file,
      ['matrix', 'factors', other.name],
      `${other.levels.length} levels in a fractional factorial`,
      'two levels of each factor but the seed',
    );
  if (counts.length > MOST_FRACTIONAL)
    throw faultAt(
      file,
      ['matrix', 'factors'],
      `${counts.length} factors of a fractional factorial`,
      `at most ${MOST_FRACTIONAL}`,
    );
  const fraction = smallestFraction(counts.length, resolution);
  if (fraction) return fraction;
  throw faultAt(
    file,
    ['matrix', 'design'],
    `a fraction of ${counts.length} factors with resolution ${resolution}`,
    'a lower resolution, more factors, or the design full-factorial',
  );
}

function withoutExcluded(
  file: YamlFile,
  { exclude }: MatrixFile,
  factors: readonly MatrixFactor[],
  combinations: readonly Combination[],
): readonly Combination[] {
  const names = factors.map(({ name }) => name);
  const excluded = new Set<Combination>();
  for (const [index, rule] of exclude.entries()) {
    const place = ['matrix', 'exclude', index];
    const conditions = Object.entries(rule).map(([name, value]) => {
      const at = names.indexOf(name);
      const factor = factors[at];
      if (factor === undefined)
        throw faultAt(
          file,
          [...place, name],
          `the unknown factor "${name}"${didYouMean(name, names)}`,
          names.join(', '),
        );
      const levels = (Array.isArray(value) ? value : [value]).map((each: unknown) => {
        const level = factor.levels.indexOf(levelName(each, -1));
        if (level < 0)
          throw faultAt(
            file,
            [...place, name],
            show(each),
            `a level of ${name}: ${factor.levels.join(', ')}`,
          );
        return level;
      });
      return { at, levels };
    });
    if (conditions.length === 0) throw faultAt(file, place, 'no condition', 'levels by factor');
    const hit = combinations.filter((each) =>
      conditions.every(({ at, levels }) => levels.includes(each[at] ?? -1)),
    );
    if (hit.length === 0)
      throw faultAt(file, place, 'conditions that no combination meets', 'levels that some combination has');
    for (const each of hit) excluded.add(each);
  }
  const left = combinations.filter((each) => !excluded.has(each));
  if (left.length < 2)
    throw faultAt(
      file,
      ['matrix', 'exclude'],
      `${left.length} of ${combinations.length} combinations left`,
      'two at least',
    );
  return left;
}
