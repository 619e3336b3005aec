import { z } from 'zod';
import type { Stage } from '../compress/stage.js';

/** One option of a stage, as its schema describes it. */
export interface OptionReference {
  /** Options inside an option have its name before them: `budget.memory`. */
  readonly name: string;
  /** What it may be: `integer > 0`, `"obs" or "flap"`. */
  readonly type: string;
  /** As JSON; undefined where there is none, and the option may be left out or must be given. */
  readonly fallback: string | undefined;
  readonly description: string;
}

/** What is read of a JSON Schema: zod writes more, which no reader needs. */
interface Described {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Described[];
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/**
 * The options of a stage, from its schema alone.
 *
 * @param stage - which
 */
export function optionsOf(stage: Pick<Stage, 'options'>): OptionReference[] {
  const schema = z.toJSONSchema(stage.options, { io: 'input', unrepresentable: 'any' }) as Described;
  return listed(schema, '');
}

/**
 * All stages with their options, as Markdown: the reference of recipes.
 *
 * @param stages - in the order of the page
 */
export function stageReference(stages: readonly Stage[]): string {
  const sections = stages.map((stage) => {
    const options = optionsOf(stage);
    const rows = options.map(({ name, type, fallback, description }) => [
      `\`${name}\``,
      type,
      fallback === undefined ? '' : `\`${fallback}\``,
      description,
    ]);
    const figures =
      rows.length === 0 ? 'It has no options.' : table([['option', 'value', 'default', 'meaning'], ...rows]);
    return `## \`${stage.name}\`\n\n${stage.description}\n\n${figures}`;
  });
  return [
    '# Stages of a recipe',
    'Written by `npm run docs` from the stages themselves (`src/compress/stages/`). A recipe lists stages in the order in which they are applied, each with its options.',
    ...sections,
  ].join('\n\n');
}

/** Rows that are Markdown already, as a table; the first is its head. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function listed({ properties = {} }: Described, prefix: string): OptionReference[] {
  return Object.entries(properties).flatMap(([key, option]) => {
    const name = `${prefix}${key}`;
    const own = {
      name,
      type: typeOf(option),
      fallback: option.default === undefined ? undefined : JSON.stringify(option.default),
      description: option.description ?? '',
    };
    const inside = [option, ...(option.anyOf ?? [])].flatMap((each) => listed(each, `${name}.`));
    // Alternatives may share an option.
    return [
      own,
      ...inside.filter((each, index) => inside.findIndex((other) => other.name === each.name) === index),
    ];
  });
}

function typeOf(option: Described): string {
  if (option.anyOf) return [...new Set(option.anyOf.map(typeOf))].join(' or ');
  if (option.const !== undefined) return `\`${JSON.stringify(option.const)}\``;
  if (option.enum) return option.enum.map((each) => `\`${JSON.stringify(each)}\``).join(', ');
  if (option.type === 'array') return `list of ${option.items ? typeOf(option.items) : 'anything'}`;
  if (option.type === 'object') return 'its options below';
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = option;
  const bounds = [
    exclusiveMinimum === undefined ? undefined : `> ${exclusiveMinimum}`,
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : `≥ ${minimum}`,
    exclusiveMaximum === undefined ? undefined : `< ${exclusiveMaximum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : `≤ ${maximum}`,
  ].filter((bound) => bound !== undefined);
  return [option.type ?? 'anything', bounds.join(' and ')].filter(Boolean).join(' ');
}
