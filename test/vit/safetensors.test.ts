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

describe('a safetensors file', () => {
  it('is read tensor by tensor', async () => {
    const tensors = await read(safetensorsBytes(two));
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
      'uses a type of its own',
      safetensorsBytes(two, (header) => (header['a']!.dtype = 'F33')),
      /tensor a: found dtype F33; expected one of F64, F32/,
    ],
    [
      'has an entry without offsets',
      safetensorsBytes(two, (header) => delete (header['a'] as { data_offsets?: unknown }).data_offsets),
      /tensor a: found .*; expected an entry of dtype, shape and two data_offsets/,
    ],
  ];
  it.each(lies)('that %s is refused', async (_what, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(InputError);
    await expect(read(bytes)).rejects.toThrow(message);
  });

  it('that is not there is refused', async () => {
    await expect(readSafetensors('/nowhere/x.safetensors')).rejects.toThrow(
      /found nothing.*a safetensors file/,
    );
  });
});
