import { open } from 'node:fs/promises';
import { isAlias, isMap, isScalar, Lexer, visit, type Document } from 'yaml';

/** Bytes of a YAML file at most: a large suite has a few thousand. */
export const MAX_BYTES = 256 * 2 ** 10;

/** Tokens at most, which the time to parse goes by: keys, values, punctuation and the spaces between them. */
const MAX_TOKENS = 20_000;

/** How deep values may lie in values: parsing takes the square of it. */
const MAX_DEPTH = 100;

/** Aliases at most: each is looked for in all of the document. */
const MAX_ALIASES = 500;

/** Something in a text that is too much, or twice: before values are made of it. */
export interface YamlFault {
  /** Characters before it. */
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
}

/** What the lexer puts before the text of a scalar, and at the end of a collection in brackets that was left open. */
const [SCALAR, FLOW_END] = ['\u001f', '\u0018'];

/**
 * Reads a text file no further than it may be long; pipes, too, which have no size.
 *
 * @param path - the file
 * @returns undefined when it has more than `MAX_BYTES`
 * @throws the file system's error
 */
export async function readBounded(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) return bytes.toString('utf8', 0, length);
      length += bytesRead;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * Looks through the tokens of a text, in time that grows with its length alone, for what would make parsing it expensive.
 *
 * @param text - YAML, or anything else
 * @returns undefined where it may be parsed
 */
export function tooMuch(text: string): YamlFault | undefined {
  const nesting = new Nesting();
  let [offset, lineStart, tokens, isText] = [0, 0, 0, false];
  for (const token of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS)
      return { offset, found: `more than ${MAX_TOKENS} tokens`, expected: `at most ${MAX_TOKENS}` };
    if (token === SCALAR) {
      isText = true;
      continue;
    }
    if (nesting.after(isText ? SCALAR : token, offset - lineStart) > MAX_DEPTH)
      return { offset, found: `values nested more than ${MAX_DEPTH} deep`, expected: `at most ${MAX_DEPTH}` };
    isText = false;
    // The lexer's own marks are no part of the text.
    if (token === FLOW_END || token === '\u0002') continue;
    offset += token.length;
    const newline = token.lastIndexOf('\n');
    if (newline >= 0) lineStart = offset - token.length + newline + 1;
  }
  return undefined;
}

/** How deep a token lies at most: collections in blocks begin at columns further and further right. */
class Nesting {
  private readonly columns: number[] = [];
  private flow = 0;
  /** Keys since the last comma or bracket. */
  private keys = 0;

  after(token: string, column: number): number {
    switch (token) {
      case '[':
      case '{':
        this.flow++;
        this.keys = 0;
        break;
      case ']':
      case '}':
        this.flow = Math.max(this.flow - 1, 0);
        this.keys = 0;
        break;
      case FLOW_END:
        this.flow = 0;
        break;
      case ',':
        this.keys = 0;
        break;
      case ':':
      case '?':
        if (this.flow > 0) this.keys++;
    }
    if (this.flow === 0 && /^[^\s#%\]},]/.test(token)) {
      while ((this.columns.at(-1) ?? -1) > column) this.columns.pop();
      if ((this.columns.at(-1) ?? -1) < column) this.columns.push(column);
    }
    return this.columns.length + this.flow + this.keys;
  }
}

/**
 * Looks through a document for a key that comes twice in a map, in time that grows with the number of keys alone (the library's
 * own check takes its square), and for too many aliases.
 *
 * @param document - parsed without the library's check
 * @returns undefined where values may be made of it
 */
export function faultInDocument(document: Document): YamlFault | undefined {
  let fault: YamlFault | undefined;
  let aliases = 0;
  visit(document, (_, node) => {
    if (isAlias(node) && ++aliases > MAX_ALIASES)
      fault = {
        offset: node.range?.[0] ?? 0,
        ...{ found: `more than ${MAX_ALIASES} aliases`, expected: `at most ${MAX_ALIASES}` },
      };
    if (isMap(node)) {
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        // Values become objects, whose keys are strings: 1 and "1" are one.
        const name = String(key.value);
        if (keys.has(name))
          fault ??= {
            offset: key.range?.[0] ?? 0,
            ...{ found: `the key "${name}" twice`, expected: 'each key once' },
          };
        keys.add(name);
      }
    }
    return fault ? visit.BREAK : undefined;
  });
  return fault;
}
