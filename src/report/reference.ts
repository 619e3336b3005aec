import { z } from 'zod';
import type { Stage } from '../compress/stage.js';
import { recipeSchema } from '../compress/recipe.js';
import { declarationSchema } from '../data/sets/declaration.js';
import { suiteSchema } from '../suite/schema.js';
import { commonFields, type DeviceKind } from '../device/kind.js';

/** One option of a stage, or one field of a device profile, as its schema describes it. */
export interface OptionReference {
  /** Options inside an option have its name before them: `budget.memory`. */
  readonly name: string;
  /** What it may be: `integer > 0`, `"obs" or "flap"`. */
  readonly type: string;
  /** Of the value; undefined where it has none: of counts, names and shares. */
  readonly unit: string | undefined;
  /** As JSON; undefined where there is none, and the option may be left out or must be given. */
  readonly fallback: string | undefined;
  /** Whether it must be given. */
  readonly required: boolean;
  readonly description: string;
}

/** What is read of a JSON Schema: zod writes more, which no reader needs. */
interface Described {
  readonly description?: string;
  /** As a schema's `meta` has it. */
  readonly unit?: string;
  readonly required?: readonly string[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Described[];
  /** Alternatives that a field tells apart. */
  readonly oneOf?: readonly Described[];
  /** Of a list of a fixed length. */
  readonly prefixItems?: readonly Described[];
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

/** Fields of suites, of recipes and of declarations of images, as Markdown. */
export function suiteReference(): string {
  return [
    '# Suites and recipes',
    'Written by `npm run docs` from the schemas themselves (`src/suite/schema.ts`, `src/compress/recipe.ts`, `src/data/sets/declaration.ts`). `a.b` is the field `b` of `a`, and `a[].b` the field `b` of every entry of the list `a`. [Your own model, recipe, suite](../recipes.md) explains how they are used; the options of stages are in [stages](stages.md), the fields of device profiles in [devices](devices.md).',
    `## Suites\n\nA suite is a YAML file in \`suites/\`. Paths in it are relative to the file.\n\n${optionTable('field', optionsIn(suiteSchema))}`,
    `## Recipes\n\nA recipe is a YAML file in \`recipes/\`, or an entry of a suite.\n\n${optionTable('field', optionsIn(recipeSchema))}`,
    `## Images of your own\n\nA YAML file in \`data/\` declares images that suites then refer to by name ([images](../images.md)); the same fields can be part of a suite.\n\n${optionTable('field', optionsIn(declarationSchema))}`,
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
  const rows = options.map(({ name, type, unit = '', fallback, required, description }) => [
    `\`${name}\``,
    type,
    unit,
    fallback === undefined ? (required ? 'required' : '') : `\`${fallback}\``,
    description,
  ]);
  return markdownRows([[head, 'value', 'unit', 'default', 'meaning'], ...rows]);
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

function listed({ properties = {}, required = [] }: Described, prefix: string): OptionReference[] {
  return Object.entries(properties).flatMap(([key, option]) => {
    const name = `${prefix}${key}`;
    const own = {
      name,
      type: typeOf(option),
      unit: unitOf(option),
      required: required.includes(key),
      fallback: option.default === undefined ? undefined : JSON.stringify(option.default),
      description: option.description ?? '',
    };
    const inside = [
      ...withinOneOf([option, ...alternativesOf(option)], `${name}.`),
      ...withinOneOf(entriesOf(option), `${name}[].`),
    ];
    // Alternatives may share an option.
    return [
      own,
      ...inside.filter((each, index) => inside.findIndex((other) => other.name === each.name) === index),
    ];
  });
}

/** Options of alternatives: where there are several, none of them must be given. */
function withinOneOf(alternatives: readonly Described[], prefix: string): OptionReference[] {
  const objects = alternatives.filter(({ properties }) => properties !== undefined);
  return objects.flatMap((each) =>
    listed(each, prefix).map((option) => (objects.length > 1 ? { ...option, required: false } : option)),
  );
}

/** What the entries of a list may be. */
function entriesOf(option: Described): readonly Described[] {
  const { items } = option;
  const own = items === undefined ? [] : [items, ...alternativesOf(items)];
  return [...own, ...(option.anyOf ?? []).flatMap(entriesOf)];
}

/** What else a value may be, also within its alternatives. */
function alternativesOf({ anyOf = [], oneOf = [] }: Described): readonly Described[] {
  return [...anyOf, ...oneOf].flatMap((each) => [each, ...alternativesOf(each)]);
}

/** A unit stands at the value, or at one of the alternatives. */
function unitOf({ unit, anyOf = [] }: Described): string | undefined {
  return unit ?? anyOf.map(unitOf).find((each) => each !== undefined);
}

function typeOf(option: Described): string {
  const alternatives = option.anyOf ?? option.oneOf;
  if (alternatives) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (option.prefixItems) return `list of ${[...new Set(option.prefixItems.map(typeOf))].join(' or ')}`;
  if (option.const !== undefined) return `\`${JSON.stringify(option.const)}\``;
  if (option.enum) return option.enum.map((each) => `\`${JSON.stringify(each)}\``).join(', ');
  if (option.type === 'array') return `list of ${option.items ? typeOf(option.items) : 'anything'}`;
  if (option.type === 'object') return option.properties ? 'its options below' : 'a map';
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = option;
  const bounds = [
    exclusiveMinimum === undefined ? undefined : `> ${exclusiveMinimum}`,
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : `≥ ${minimum}`,
    exclusiveMaximum === undefined ? undefined : `< ${exclusiveMaximum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : `≤ ${maximum}`,
  ].filter((bound) => bound !== undefined);
  return [option.type ?? 'anything', bounds.join(' and ')].filter(Boolean).join(' ');
}
