import type { DesignFactor } from '../../base/design.js';
import { faultAt, show, type YamlFile } from '../../base/schema.js';
import { didYouMean } from '../../base/similar.js';
import { parseStep } from '../../compress/recipe.js';
import type { MatrixFile } from './schema.js';

/** A stage of a matrix's pipeline. */
export interface MatrixStage {
  readonly label: string;
  readonly stage: string;
  /** As they are written. */
  readonly options: Options;
  /** Whether it has the option `images`. */
  readonly observes: boolean;
}

/** Options of a stage as they are written, by name. */
export type Options = Readonly<Record<string, unknown>>;

/** What a level of a factor makes of the pipeline. */
export type Change =
  | { readonly kind: 'off'; readonly label: string }
  | { readonly kind: 'options'; readonly label: string; readonly options: Options }
  | { readonly kind: 'images'; readonly images: number }
  | { readonly kind: 'seed'; readonly seed: number };

/** A factor of a matrix. */
export interface MatrixFactor extends DesignFactor {
  /** Of each level. */
  readonly changes: readonly Change[];
}

/** Factors that are no stages, and no option of one alone. */
const COMMON = ['images', 'seed'] as const;

/**
 * Reads the pipeline of a matrix.
 *
 * @param file - the suite
 * @param matrix - its matrix
 * @throws InputError for a label that is none, or a stage that a recipe could not have
 */
export function matrixStages(file: YamlFile, { stages }: MatrixFile): MatrixStage[] {
  const place = ['matrix', 'stages'];
  const entries = Object.entries(stages);
  if (entries.length === 0) throw faultAt(file, place, 'no stage', 'a label and a stage at least');
  return entries.map(([label, entry]) => {
    const reserved = ['stages', ...COMMON];
    if (!/^[a-z][a-z0-9-]{0,39}$/i.test(label) || reserved.includes(label))
      throw faultAt(
        file,
        [...place, label],
        `the label ${show(label)}`,
        `letters, digits and "-", a letter first, at most 40, and none of ${reserved.join(', ')}`,
      );
    const { stage, options } = parseStep(file, [...place, label], entry);
    return { label, stage, options: optionsIn(entry[stage]), observes: 'images' in options };
  });
}

/**
 * Reads what a matrix varies.
 *
 * @param file - the suite
 * @param matrix - its matrix
 * @param stages - its pipeline
 * @throws InputError for a factor or a level that there is not, or two levels of one name
 */
export function matrixFactors(
  file: YamlFile,
  { factors }: MatrixFile,
  stages: readonly MatrixStage[],
): MatrixFactor[] {
  const place = ['matrix', 'factors'];
  const given = factors ?? Object.fromEntries(stages.map(({ label }) => [label, ['off', 'on']]));
  if (Object.keys(given).length === 0)
    throw faultAt(file, place, 'no factor', 'one at least; left out, every stage is off and on');
  if (Object.keys(given).every((name) => name === 'seed'))
    throw faultAt(file, place, 'seeds alone', 'a factor whose effect they are replicates of');
  return Object.entries(given).map(([name, levels]) => {
    const factor = factorOf({
      file,
      place: [...place, name],
      stages,
      name,
      levels,
      names: Object.keys(given),
    });
    const twice = factor.levels.find((level, index) => factor.levels.indexOf(level) < index);
    if (twice !== undefined)
      throw faultAt(file, [...place, name], `two levels called ${twice}`, 'different levels');
    return factor;
  });
}

/** A factor as it is written, and where. */
interface Written {
  readonly file: YamlFile;
  readonly place: readonly PropertyKey[];
  readonly stages: readonly MatrixStage[];
  readonly name: string;
  readonly levels: readonly unknown[];
  /** Of all factors. */
  readonly names: readonly string[];
}

function factorOf(written: Written): MatrixFactor {
  const { file, place, stages, name, levels, names } = written;
  if (name === 'images') return imagesFactor(written);
  if (name === 'seed') {
    const changes = levels.map((seed, index): Change => {
      if (!Number.isSafeInteger(seed)) throw faultAt(file, [...place, index], show(seed), 'a whole number');
      return { kind: 'seed', seed: Number(seed) };
    });
    return { name, kind: 'seed', levels: levels.map(levelName), changes };
  }
  const whole = stages.find(({ label }) => label === name);
  if (whole) {
    const changes = levels.map((level, index) => stageChange(written, whole, level, index));
    return { name, kind: 'stage', levels: levels.map(levelName), changes };
  }
  const [label, option] = halves(name);
  const stage = stages.find((each) => each.label === label);
  if (stage === undefined || option === undefined) {
    const known = [...stages.map((each) => each.label), ...COMMON];
    throw faultAt(
      file,
      place,
      `the unknown factor "${name}"${didYouMean(name, known)}`,
      `${known.join(', ')}, or an option of a stage, such as ${stages[0]?.label ?? 'prune'}.option`,
    );
  }
  if (names.includes(stage.label))
    throw faultAt(
      file,
      place,
      `${name} beside ${stage.label}, which is off in some variants`,
      `levels of ${stage.label} with options: ${stage.label}: [off, ${levels.map((level) => `{ ${option}: ${show(level)} }`).join(', ')}]`,
    );
  const changes = levels.map((value): Change => {
    const options = { [option]: value };
    parseStep(file, place, { [stage.stage]: { ...stage.options, ...options } });
    return { kind: 'options', label: stage.label, options };
  });
  return { name, kind: 'option', levels: levels.map(levelName), changes };
}

function imagesFactor({ file, place, stages, name, levels }: Written): MatrixFactor {
  if (!stages.some(({ observes }) => observes))
    throw faultAt(
      file,
      place,
      'a number of images for stages that observe none',
      'a stage with the option images',
    );
  const changes = levels.map((images, index): Change => {
    if (typeof images !== 'number')
      throw faultAt(file, [...place, index], show(images), 'a number of images');
    for (const { stage, options, observes } of stages)
      if (observes) parseStep(file, place, { [stage]: { ...options, images } });
    return { kind: 'images', images };
  });
  return { name, kind: 'images', levels: levels.map(levelName), changes };
}

function stageChange(
  { file, place }: Written,
  { label, stage, options }: MatrixStage,
  level: unknown,
  index: number,
): Change {
  if (level === 'off') return { kind: 'off', label };
  if (level === 'on') return { kind: 'options', label, options: {} };
  if (typeof level !== 'object' || level === null || Array.isArray(level))
    throw faultAt(file, [...place, index], show(level), 'off, on, or options in place of those of the stage');
  const own = optionsIn(level);
  parseStep(file, place, { [stage]: { ...options, ...own } });
  return { kind: 'options', label, options: own };
}

/**
 * What a level is called: itself, or the values of its options with hyphens between them.
 *
 * @param level - as it is written
 * @param index - of the level, for one that has no letter or digit
 */
export function levelName(level: unknown, index: number): string {
  return (
    wordsIn(level)
      .join('-')
      .replace(/[^a-z0-9.+-]+/gi, '-')
      .replace(/^[.+-]+|[.+-]+$/g, '') || `level-${index + 1}`
  );
}

function wordsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(wordsIn);
  return [typeof value === 'string' ? value : show(value)];
}

/** Options that a schema has found to be an object, or nothing. */
function optionsIn(value: unknown): Options {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** A name before and behind its first dot. */
function halves(name: string): [string, string | undefined] {
  const at = name.indexOf('.');
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
}
