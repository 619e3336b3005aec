import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { defined } from './defined.js';
import { firstLine, foundBy, InputError, messageOf } from './errors.js';
import { keysAt } from './schema-keys.js';
import { didYouMean, nearest } from './similar.js';
import { codeOf } from './write-failure.js';
import { faultInDocument, MAX_BYTES, readBounded, tooMuch, type YamlFault } from './yaml-bounds.js';

/** A YAML file that was read, and where its values stand in it. */
export interface YamlFile {
  readonly path: string;
  readonly value: unknown;
  /** The line on which a value (or the nearest one around it) begins; undefined where it does not come from a text. */
  lineOf(place: readonly PropertyKey[]): number | undefined;
}

/**
 * Reads a YAML file: a text of people, not of machines. One that is too long, too deep or has too many keys or aliases is refused
 * before it costs time or memory.
 *
 * @param path - the file
 * @param what - what it should be, for the message: `a suite`
 * @throws InputError when it cannot be read, is not YAML, or is too large
 */
export async function readYaml(path: string, what: string): Promise<YamlFile> {
  const text = await textOf(path, what);
  const lines = new LineCounter();
  const refuse = ({ offset, found, expected }: YamlFault): never => {
    const { line, col } = lines.linePos(offset);
    throw new InputError({ source: path, place: `line ${line}, column ${col}`, found, expected });
  };
  const excess = tooMuch(text);
  if (excess) {
    lines.addNewLine(0);
    for (let at = -1; (at = text.indexOf('\n', at + 1)) >= 0;) lines.addNewLine(at + 1);
    return refuse({ ...excess, expected: `${what} in YAML with ${excess.expected}` });
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const expected = `${what} in YAML`;
  const fault = document.errors[0];
  if (fault)
    return refuse({ offset: fault.pos[0], found: `text that is not YAML: ${fault.message}`, expected });
  const flaw = faultInDocument(document);
  if (flaw) return refuse({ ...flaw, expected: `${expected} with ${flaw.expected}` });
  return { path, value: valueOf(document, path, what), lineOf: (place) => lineOf(document, lines, place) };
}

/**
 * A value that a program made, as if it had been read from a file.
 *
 * @param source - what it is, for messages: `recipe`
 * @param value - the value
 */
export function withoutFile(source: string, value: unknown): YamlFile {
  return { path: source, value, lineOf: () => undefined };
}

async function textOf(path: string, what: string): Promise<string> {
  let text: string | undefined;
  try {
    text = await readBounded(path);
  } catch (error) {
    throw new InputError({
      source: path,
      found: `${foundBy(error)}${codeOf(error) === 'ENOENT' ? await meantBeside(path) : ''}`,
      expected: what,
    });
  }
  if (text === undefined)
    throw new InputError({
      source: path,
      found: `more than ${MAX_BYTES} bytes`,
      expected: `${what} in YAML of at most ${MAX_BYTES} bytes`,
    });
  return text;
}

/** Which file beside the one that is not there may be meant; nothing where none is near. */
async function meantBeside(path: string): Promise<string> {
  const names = await readdir(dirname(path)).catch(() => []);
  const near = nearest(
    basename(path),
    names.filter((name) => extname(name) === extname(path)),
  );
  return near === undefined ? '' : ` (did you mean "${join(dirname(path), near)}"?)`;
}

/**
 * Checks a part of a YAML file against a schema.
 *
 * @param file - the file
 * @param place - where in it the part stands
 * @param value - the part
 * @param schema - what it must be
 * @throws InputError that names the file, the line, the key, what was found and what is expected
 */
export function checked<Schema extends z.ZodType>(
  file: YamlFile,
  place: readonly PropertyKey[],
  value: unknown,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const described = describeFault(parsed.error, value, schema);
  const isEmpty = value === null && place.length === 0;
  const fault = isEmpty ? { ...described, found: 'no content' } : described;
  throw faultAt(file, [...place, ...fault.path], fault.found, fault.expected);
}

/**
 * The error for something wrong at a place in a YAML file.
 *
 * @param file - the file
 * @param place - the keys that lead there
 * @param found - what stands there
 * @param expected - what should
 */
export function faultAt(
  file: YamlFile,
  place: readonly PropertyKey[],
  found: string,
  expected: string,
): InputError {
  const key = place.length === 0 ? 'the whole file' : place.map(String).join('.');
  const line = file.lineOf(place);
  const source = line === undefined ? file.path : `${file.path}:${line}`;
  return new InputError({ source, place: key, found, expected });
}

/** The first thing a schema objects to, in words. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly found: string;
  readonly expected: string;
  /** A key that no alternative has. */
  readonly unknownKey?: string;
}

/**
 * Puts a schema's first objection into words.
 *
 * @param error - what the schema said
 * @param value - what it said it of
 * @param schema - which; left out, unknown keys are refused without those that are known
 */
export function describeFault(error: z.ZodError, value: unknown, schema?: z.core.$ZodType): Fault {
  // Where a key is misspelt, the one that was meant is missing, too.
  const unknown = error.issues.find(({ code }) => code === 'unrecognized_keys');
  const issue = unknown ?? first(error.issues);
  const fault = faultOf(issue, value);
  if (schema === undefined) return fault;
  if (fault.expected === AN_OBJECT) {
    const keys = keysAt(schema, fault.path);
    return keys.length === 0 ? fault : { ...fault, expected: `${AN_OBJECT} with ${keys.join(', ')}` };
  }
  if (fault.unknownKey === undefined) return fault;
  const known = keysAt(schema, fault.path.slice(0, -1));
  if (known.length === 0) return fault;
  return {
    path: fault.path,
    found: `${fault.found}${didYouMean(fault.unknownKey, known)}`,
    expected: known.length === 1 ? `only ${known.join('')}` : `one of ${known.join(', ')}`,
  };
}

const AN_OBJECT = 'an object';

type Issue = z.core.$ZodIssue;

function faultOf(issue: Issue, value: unknown): Fault {
  const { path } = issue;
  const inner = path.reduce<unknown>(child, value);
  const found = show(inner);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = first(issue.keys);
      return {
        path: [...path, key],
        found: `the unknown key "${key}"`,
        expected: 'only documented keys',
        unknownKey: key,
      };
    }
    case 'invalid_type':
      return { path, found, expected: article(issue.expected) };
    case 'invalid_value':
      return { path, found, expected: issue.values.map((each) => show(each)).join(' or ') };
    case 'too_small':
      return { path, found, expected: `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}` };
    case 'too_big':
      return { path, found, expected: `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}` };
    case 'invalid_union': {
      if (issue.errors.length > 0) {
        const fault = faultOfUnion(issue.errors, inner);
        return { ...fault, path: [...path, ...fault.path] };
      }
      if ('options' in issue && issue.options)
        return { path, found, expected: issue.options.map((each) => show(each)).join(' or ') };
    }
  }
  return { path, found, expected: issue.message.replace(/^Invalid input: expected /, '') };
}

/**
 * Of the alternatives that are of the value's kind, what the one objects to that objects to the fewest things; when none is,
 * all that the value might be.
 */
function faultOfUnion(alternatives: readonly (readonly Issue[])[], value: unknown): Fault {
  const ofKind = alternatives.filter((issues) => !issues.some(isOfAnotherKind));
  // What says nothing at all is nearest to none of them.
  if (isEmptyObject(value) && ofKind.length > 1) {
    const keys = ofKind.map((issues) =>
      [...new Set(issues.map(({ path }) => String(path[0])))].join(' and '),
    );
    return { path: [], found: 'none of its keys', expected: [...new Set(keys)].join(' or ') };
  }
  if (ofKind.length > 0) {
    const closest = ofKind.reduce((best, each) => (objections(each) < objections(best) ? each : best));
    return faultOf(first(closest), value);
  }
  const expected = new Set(alternatives.map((issues) => faultOf(first(issues), value).expected));
  return { path: [], found: show(value), expected: [...expected].join(' or ') };
}

/** What a schema says of a value that it refuses is never nothing. */
function first<T>(list: readonly T[]): T {
  return defined(list[0], "a schema's objection");
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function isOfAnotherKind({ code, path }: Issue): boolean {
  return (
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union')
  );
}

function objections(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

function child(value: unknown, key: PropertyKey): unknown {
  return value !== null && typeof value === 'object'
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

/**
 * A value that was found, for a message: as JSON, and no longer than a line.
 *
 * @param value - of any depth, or none at all
 */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  // JSON has no infinities, no NaN and no integers of any size.
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // JSON.parse goes deeper than JSON.stringify does.
    return Array.isArray(value) ? 'a list that is too deep to show' : 'an object that is too deep to show';
  }
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function article(type: string): string {
  if (type === 'int') return 'an integer';
  if (type === 'record') return AN_OBJECT;
  if (type === 'array') return 'a list';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The value of a document; it must be finite, which references to what is around them, or to too much, are not. */
function valueOf(document: Document, path: string, what: string): unknown {
  try {
    const value: unknown = document.toJS();
    JSON.stringify(value);
    return value;
  } catch (error) {
    throw new InputError({
      source: path,
      found: `aliases that cannot be resolved: ${firstLine(messageOf(error))}`,
      expected: `${what} in YAML, with aliases only to anchors that precede them`,
    });
  }
}

function lineOf(document: Document, lines: LineCounter, place: readonly PropertyKey[]): number {
  for (let length = place.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(place.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
