import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { InputError } from '../../src/base/errors.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import { directoryOf, safetensorsBytes, type RawTensor } from './checkpoint.js';

const two = new Map<string, RawTensor>([
  ['a', { dtype: 'F32', shape: [2, 3], bytes: new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer) }],
  ['b', { dtype: 'U8', shape: [4], bytes: Uint8Array.of(7, 8, 9, 10) }],
]);

async function read(bytes: Uint8Array): ReturnType<typeof readSafetensors> {
  return readSafetensors(join(await directoryOf({ 'x.safetensors': bytes }), 'x.safetensors'));
}

/** A file with a header as it is written here, and so many bytes behind it. */
function headed(text: string, bytes: number): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text), Buffer.alloc(bytes, 7)]);
}

describe('a safetensors file', () => {
  it('is read tensor by tensor', async () => {
    const { tensors } = await read(safetensorsBytes(two));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('a')).toMatchObject({ dtype: 'float32', dims: [2, 3] });
    expect(await tensors.get('b')!.read()).toEqual(Uint8Array.of(7, 8, 9, 10));
  });

  const lies: [string, Uint8Array, RegExp][] = [
    ['is missing the header', Uint8Array.of(1, 2, 3), /header: found 3 bytes; expected at least the 8 bytes/],
    [
      'says that its header is longer than the file',
      Buffer.concat([Buffer.from([255, 255, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]),
      /header length: found 65535 bytes; expected at most the 2 bytes that follow/,
    ],
    [
      'says that its header is longer than any header',
      Buffer.alloc(16, 255),
      /header length: found \d+ bytes; expected at most/,
    ],
    [
      'has a header that is no JSON',
      Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"a')]),
      /header: found .*; expected a JSON object/,
    ],
    [
      'promises data beyond its end',
      safetensorsBytes(two, (header) => (header['b']!.data_offsets = [1000, 1004])),
      /tensor b: found data_offsets \[1000, 1004\]; expected offsets within the 28 bytes of data/,
    ],
    [
      'gives a tensor more bytes than its shape has',
      safetensorsBytes(two, (header) => (header['a']!.shape = [2, 2])),
      /tensor a: found data_offsets \[0, 24\], 24 bytes; expected 16 bytes for F32\[2, 2\]/,
    ],
    [
      'lets two tensors overlap',
      safetensorsBytes(two, (header) => (header['b']!.data_offsets = [20, 24])),
      /tensor b: found bytes that tensor a also claims/,
    ],
    [
      'has an entry without offsets',
      safetensorsBytes(two, (header) => delete (header['a'] as { data_offsets?: unknown }).data_offsets),
      /tensor a: found .*; expected an entry of dtype, shape and two data_offsets/,
    ],
  ];
  const spoiled = (change: (all: Map<string, RawTensor>) => void): Uint8Array => {
    const all = new Map(two);
    change(all);
    return safetensorsBytes(all);
  };
  lies.push(
    [
      'has bytes behind the last tensor',
      Buffer.concat([safetensorsBytes(two), Buffer.alloc(3)]),
      /3 bytes that belong to no/,
    ],
    [
      'leaves a hole between tensors',
      safetensorsBytes(two, (header) => delete header['a']),
      /tensor b: found 24 bytes between the header and it that belong to no tensor/,
    ],
    [
      'has metadata that is no map of texts',
      safetensorsBytes(two, (header) => Object.assign(header, { __metadata__: { format: 1 } })),
      /__metadata__: found \{"format":1\}; expected an object of texts/,
    ],
    [
      'has offsets that run backwards',
      safetensorsBytes(two, (header) => (header['b']!.data_offsets = [28, 24])),
      /\[28, 24\]/,
    ],
    [
      'has two tensors of one name',
      headed(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
      /tensor a: found two entries of this name; expected names that differ/,
    ],
    [
      'is a list',
      Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('[]')]),
      /header: found \[\]/,
    ],
  );

  it('keeps tensors that are called like parts of every object', async () => {
    const { tensors } = await read(
      spoiled((all) => {
        // Written by hand: an object literal would lose it.
        all.set('constructor', { dtype: 'U8', shape: [1], bytes: Uint8Array.of(1) });
      }),
    );
    expect([...tensors.keys()]).toContain('constructor');
    const strange = await read(headed('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1));
    expect([...strange.tensors.keys()]).toEqual(['__proto__']);
  });

  it.each(['F8_E4M3', 'toString', '__proto__'])(
    'names tensors of the type %s, which cannot be read',
    async (dtype) => {
      const { tensors, unreadable } = await read(
        spoiled((all) => {
          all.set('scale', { dtype, shape: [2], bytes: Uint8Array.of(1, 2) });
        }),
      );
      expect([...unreadable]).toEqual([['scale', dtype]]);
      expect([...tensors.keys()]).toEqual(['a', 'b']);
    },
  );

  it.each(lies)('that %s is refused', async (_what, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(InputError);
    await expect(read(bytes)).rejects.toThrow(message);
  });

  it('that is not there is refused', async () => {
    await expect(readSafetensors('/nowhere/x.safetensors')).rejects.toThrow(
      /found no such file.*a safetensors file/,
    );
  });
});
