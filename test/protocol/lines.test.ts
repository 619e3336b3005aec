import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventSchema } from '../../src/protocol/events.js';
import { decodeLines, encodeLine } from '../../src/protocol/lines.js';

/** All messages in some chunks of text, of any shape. */
async function messagesIn(chunks: Iterable<string> | AsyncIterable<string>): Promise<unknown[]> {
  const stream = Readable.from(chunks) as AsyncIterable<string>;
  const messages: unknown[] = [];
  for await (const message of decodeLines(z.unknown(), stream)) messages.push(message);
  return messages;
}

/** The bytes of a text in pieces of one size, decoded as the harness decodes an agent's output. */
function inPieces(text: string, size: number): AsyncIterable<string> {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false }).setEncoding('utf8') as AsyncIterable<string>;
}

const messages = [
  { text: 'ein Bild – 圖像 – 🖼' },
  { text: 'with\nlines\r\nand \u2028 separators' },
  { nested: { list: [1, 2.5, null] } },
];
const encoded = messages.map(encodeLine).join('');

describe('messages in lines', () => {
  it('take one line each, whatever is in them', () => {
    for (const message of messages)
      expect(encodeLine(message).indexOf('\n')).toBe(encodeLine(message).length - 1);
  });

  it.each([1, 2, 3, 7, 64, 100_000])('come back when the bytes arrive in pieces of %i', async (size) => {
    expect(await messagesIn(inPieces(encoded, size))).toEqual(messages);
  });

  it('need no line break after the last', async () => {
    expect(await messagesIn([encoded.trimEnd()])).toEqual(messages);
  });

  it('may have empty lines and carriage returns between them', async () => {
    expect(await messagesIn(['\n\r\n{"a":1}\r\n\n  \n{"b":2}\r\n'])).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('are given as soon as their line is complete', async () => {
    const stream = new PassThrough();
    const decoded = decodeLines(z.unknown(), stream.setEncoding('utf8') as AsyncIterable<string>);
    stream.write('{"a":1}\n{"b"');
    expect((await decoded.next()).value).toEqual({ a: 1 });
    stream.end(':2}\n');
    expect((await decoded.next()).value).toEqual({ b: 2 });
    expect((await decoded.next()).done).toBe(true);
  });
});

describe('a stream that is not of this protocol', () => {
  it('is refused with the line, when a line is not JSON', async () => {
    await expect(messagesIn(['{"a":1}\nSegmentation fault\n'])).rejects.toThrow(
      'not a message: Segmentation fault',
    );
  });

  it('is refused when it ends in the middle of a message', async () => {
    await expect(messagesIn([encoded.slice(0, -10)])).rejects.toThrow('not a message: {"nested"');
  });

  it('is shown by the beginning of its line when the line is long', async () => {
    const refusal = messagesIn([`${'x'.repeat(5000)}\n`]);
    await expect(refusal).rejects.toThrow(/^not a message: x{120}…$/);
  });

  it('still gives what came before', async () => {
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      const chunks = Readable.from(['{"event":"finished"}\n{"event":"nonsense"}\n']) as AsyncIterable<string>;
      for await (const event of decodeLines(eventSchema, chunks)) seen.push(event);
    };
    await expect(read()).rejects.toThrow('not a message of this protocol: {"event":"nonsense"}');
    expect(seen).toEqual([{ event: 'finished' }]);
  });

  it('is stopped before an endless line has filled the memory', async () => {
    const megabyte = 'x'.repeat(1024 * 1024);
    let given = 0;
    function* endless(): Generator<string> {
      for (; given < 1000; given++) yield megabyte;
    }
    await expect(messagesIn(endless())).rejects.toThrow('a message of more than 16777216 bytes');
    expect(given).toBeLessThan(40);
  });

  it('is refused when a line that is complete is too long', async () => {
    const line = `"${'x'.repeat(16 * 1024 * 1024)}"\n`;
    await expect(messagesIn([line])).rejects.toThrow('a message of more than');
  });
});
