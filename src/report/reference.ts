import { z } from 'zod';
import type { Stage } from '../compress/stage.js';
import { commonFields, type DeviceKind } from '../device/kind.js';

/** One option of a stage, or one field of a device profile, as its schema describes it. */
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
 * The options that a schema allows.
 *
 * @param schema - of an object: a stage's options, a device's profile
 */
export function optionsIn(schema: z.ZodType): OptionReference[] {
  return listed(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Described, '');
}

/**
 * All stages with their options, as Markdown: the reference of recipes.
 *
 * @param stages - in the order of the page
 */
export function stageReference(stages: readonly Stage[]): string {
  const sections = stages.map(({ name, description, options: schema }) => {
    const options = optionsIn(schema);
    const figures = options.length === 0 ? 'It has no options.' : optionTable('option', options);
    return `## \`${name}\`\n\n${description}\n\n${figures}`;
  });
  return [
    '# Stages of a recipe',
    'Written by `npm run docs` from the stages themselves (`src/compress/stages/`). A recipe lists stages in the order in which they are applied, each with its options.',
    ...sections,
  ].join('\n\n');
}

/**
 * All kinds of devices with the fields of their profiles, as Markdown: first those that all have.
 *
 * @param kinds - in the order of the page
 */
export function deviceReference(kinds: readonly DeviceKind[]): string {
  const described = kinds.map((kind) => ({ ...kind, fields: optionsIn(kind.profile) }));
  const common = (described[0]?.fields ?? []).filter(({ name }) => isCommon(name));
  const sections = described.map(({ kind, description, fields }) => {
    const own = fields.filter(({ name }) => name !== 'kind' && !isCommon(name));
    const figures = own.length === 0 ? 'It has no fields of its own.' : optionTable('field', own);
    return `## \`kind: ${kind}\`\n\n${description}\n\n${figures}`;
  });
  return [
    '# Device profiles',
    'Written by `npm run docs` from the kinds of devices themselves (`src/device/*/kind.ts`). A profile is a YAML file in `devices/`. It has no place for passwords or keys: one that has is refused.',
    `## All kinds\n\n${optionTable('field', common)}`,
    ...sections,
  ].join('\n\n');
}

/** Whether a field of a profile is one that all kinds have. */
function isCommon(name: string): boolean {
  return (name.split('.')[0] ?? '') in commonFields;
}

function optionTable(head: string, options: readonly OptionReference[]): string {
  const rows = options.map(({ name, type, fallback, description }) => [
    `\`${name}\``,
    type,
    fallback === undefined ? '' : `\`${fallback}\``,
    description,
  ]);
  return markdownRows([[head, 'value', 'default', 'meaning'], ...rows]);
}

/**
 * Rows that are Markdown already, as a table; the first is its head.
 *
 * @param rows - cells of each
 */
export function markdownRows([head = [], ...rows]: readonly (readonly string[])[]): string {
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
