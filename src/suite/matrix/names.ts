import { faultAt, type YamlFile } from '../../base/schema.js';
import { didYouMean } from '../../base/similar.js';
import type { Combination } from './combinations.js';
import type { MatrixFactor, MatrixStage } from './factors.js';

/** What variants are called by. */
export interface Naming {
  readonly pattern: string;
  readonly stages: readonly MatrixStage[];
  readonly factors: readonly MatrixFactor[];
}

const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * Reads the pattern of variants' names.
 *
 * @param file - the suite
 * @param pattern - as it is written; undefined: the stages that are on, and the level of each factor that is none of theirs
 * @param stages - of the matrix
 * @param factors - of the matrix
 * @throws InputError when the pattern names a factor that there is not
 */
export function namingOf(
  file: YamlFile,
  pattern: string | undefined,
  stages: readonly MatrixStage[],
  factors: readonly MatrixFactor[],
): Naming {
  if (pattern === undefined) {
    const others = factors.filter(({ kind }) => kind === 'images' || kind === 'seed');
    return {
      pattern: ['{stages}', ...others.map(({ name }) => `${name}-{${name}}`)].join('+'),
      stages,
      factors,
    };
  }
  const known = ['stages', ...factors.map(({ name }) => name)];
  for (const [whole, name = ''] of pattern.matchAll(PLACEHOLDER))
    if (!known.includes(name))
      throw faultAt(
        file,
        ['matrix', 'name'],
        `${whole}, which is no factor${didYouMean(name, known)}`,
        known.map((each) => `{${each}}`).join(', '),
      );
  return { pattern, stages, factors };
}

/**
 * The name of a variant.
 *
 * @param naming - of the matrix
 * @param combination - of levels
 */
export function nameOf({ pattern, stages, factors }: Naming, combination: Combination): string {
  return pattern.replace(PLACEHOLDER, (_, name: string) => {
    if (name === 'stages') return stagesName(stages, factors, combination);
    const factor = factors.findIndex((each) => each.name === name);
    return factors[factor]?.levels[combination[factor] ?? -1] ?? '';
  });
}

/** The stages that are on, each with the levels of its own that are not the only ones it can be on at. */
function stagesName(
  stages: readonly MatrixStage[],
  factors: readonly MatrixFactor[],
  combination: Combination,
): string {
  const names = stages.flatMap(({ label }) => {
    const levels = factors.flatMap((factor, index) => {
      const level = combination[index] ?? 0;
      const change = factor.changes[level];
      if (change === undefined || !('label' in change) || change.label !== label) return [];
      const ways = factor.changes.filter(({ kind }) => kind !== 'off').length;
      return [{ off: change.kind === 'off', level: ways > 1 ? factor.levels[level] : undefined }];
    });
    if (levels.some(({ off }) => off)) return [];
    return [[label, ...levels.flatMap(({ level }) => level ?? [])].join('-')];
  });
  return names.join('+');
}
