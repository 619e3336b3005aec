import type { z } from 'zod';

/** A line longer than this is no message of ours: a broken or hostile agent must not fill the harness's memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A message as the line that carries it. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * Reads newline-delimited JSON messages out of a stream of text.
 *
 * @param schema - what every message must be
 * @param chunks - the text, cut anywhere
 * @throws Error when a line is too long, is not JSON, or does not fit the schema
 */
export async function* decodeLines<Schema extends z.ZodType>(
  schema: Schema,
  chunks: AsyncIterable<string>,
): AsyncGenerator<z.output<Schema>> {
  // In pieces: to join them at every chunk would take a time that grows with the square of the line.
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    if (lines.length > 1) {
      lines[0] = pieces.join('') + (lines[0] ?? '');
      pieces = [];
      length = 0;
    }
    const rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield decodeLine(schema, line);
    pieces.push(rest);
    length += rest.length;
    checkLength(length);
  }
  const last = pieces.join('');
  if (last.trim() !== '') yield decodeLine(schema, last);
}

function checkLength(length: number): void {
  if (length > MAX_LINE_BYTES) throw new Error(`a message of more than ${MAX_LINE_BYTES} bytes`);
}

/**
 * Reads one message.
 *
 * @param schema - what it must be
 * @param line - the text
 * @throws Error when it is too long, is not JSON, or does not fit the schema
 */
export function decodeLine<Schema extends z.ZodType>(schema: Schema, line: string): z.output<Schema> {
  checkLength(line.length);
  const excerpt = line.length > 120 ? `${line.slice(0, 120)}…` : line;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`not a message: ${excerpt}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Error(`not a message of this protocol: ${excerpt}`);
  return parsed.data;
}
