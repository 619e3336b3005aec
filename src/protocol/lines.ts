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
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') yield decodeLine(schema, line);
    checkLength(rest);
  }
  if (rest.trim() !== '') yield decodeLine(schema, rest);
}

function checkLength(line: string): void {
  if (line.length > MAX_LINE_BYTES) throw new Error(`a message of more than ${MAX_LINE_BYTES} bytes`);
}

function decodeLine<Schema extends z.ZodType>(schema: Schema, line: string): z.output<Schema> {
  checkLength(line);
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
