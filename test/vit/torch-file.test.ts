import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { unpickle } from '../../src/base/unpickle.js';
import { readCheckpointTensors } from '../../src/vit/checkpoints/tensors.js';
import { readTorchFile } from '../../src/vit/checkpoints/torch-file.js';
import { refusalOf } from '../support/refusal.js';
import { directoryOf } from './checkpoint.js';

const here = join(packageRoot(), 'test', 'vit');
const saved = join(here, 'models', 'torch_bin', 'pytorch_model.bin');
const training = join(here, 'models', 'torch_training', 'checkpoint.pth');
/** What `training` holds, and a tensor beside the weights, as PyTorch before 1.6 wrote it. */
const old = join(here, 'fixtures', 'before-1.6.pth');

async function numbersIn(path: string): Promise<Record<string, unknown>> {
  const { tensors } = await readCheckpointTensors(path);
  const read = [...tensors].map(
    async ([name, tensor]) => [name, [tensor.dims, await tensor.read()]] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

async function changed(change: (bytes: Buffer) => Uint8Array): Promise<string> {
  return join(await directoryOf({ 'a.pth': change(await readFile(saved)) }), 'a.pth');
}

describe('a file of torch.save', () => {
  it('holds the same tensors as PyTorch before 1.6 wrote it', async () => {
    expect(await numbersIn(old)).toEqual(await numbersIn(training));
  });

  it('is refused where one that PyTorch before 1.6 wrote is cut off', async () => {
    const whole = await readFile(old);
    for (const length of [40, 200, 4000, whole.length - 1])
      await refusalOf(async () =>
        readTorchFile(join(await directoryOf({ 'a.pth': whole.subarray(0, length) }), 'a.pth')),
      );
  });

  it('is refused when it is cut off, or another file', async () => {
    for (const length of [10, 5000, 12_000])
      await refusalOf(async () => readTorchFile(await changed((bytes) => bytes.subarray(0, length))));
    const { found } = await refusalOf(async () => readTorchFile(await changed(() => new Uint8Array(8))));
    expect(found).toContain('a pickle that torch.save did not write');
  });

  it('is refused at a tensor that is larger than what is stored of it', async () => {
    const path = await changed((bytes) => {
      // The list of files says that the first tensor has four bytes.
      const at = bytes.lastIndexOf('pytorch_model/data/0');
      bytes.writeUInt32LE(4, at - 46 + 20);
      bytes.writeUInt32LE(4, at - 46 + 24);
      return bytes;
    });
    expect((await refusalOf(() => readTorchFile(path))).expected).toContain('within');
  });

  it('is refused where its list of files is said to lie beyond any file', async () => {
    for (const begin of [2n ** 40n, 2n ** 60n, 2n ** 64n - 1n]) {
      const path = await changed((bytes) => {
        const record = Buffer.alloc(56 + 20 + 22);
        record.writeUInt32LE(0x06064b50, 0);
        record.writeBigUInt64LE(44n, 4);
        record.writeBigUInt64LE(1n, 24);
        record.writeBigUInt64LE(1n, 32);
        record.writeBigUInt64LE(46n, 40);
        record.writeBigUInt64LE(begin, 48);
        record.writeUInt32LE(0x07064b50, 56);
        record.writeBigUInt64LE(BigInt(bytes.length), 64);
        record.writeUInt32LE(1, 72);
        record.writeUInt32LE(0x06054b50, 76);
        record.fill(0xff, 84, 96);
        return Buffer.concat([bytes, record]);
      });
      expect((await refusalOf(() => readTorchFile(path))).expected).toBe('a whole archive');
    }
  });

  it('has nothing of what it asks for called: a call is kept as what it says', () => {
    // cos\nsystem\n(X\x04\0\0\0exittR. : os.system('exit')
    const pickle = Buffer.concat([
      Buffer.from([0x80, 2]),
      Buffer.from('cos\nsystem\n(X'),
      Buffer.from([4, 0, 0, 0]),
      Buffer.from('exittR.'),
    ]);
    expect(unpickle(pickle)).toEqual({
      kind: 'call',
      of: { kind: 'global', name: 'os.system' },
      with: ['exit'],
    });
  });

  it('may give a list in one piece, however long it is', () => {
    const count = 300_000;
    const items = Buffer.alloc(2 * count).fill(Buffer.from([0x4b, 7]));
    const pickle = Buffer.concat([Buffer.from([0x80, 2, 0x5d, 0x28]), items, Buffer.from('e.')]);
    expect(unpickle(pickle)).toHaveLength(count);
  });

  it('is refused at an instruction that is not known, and where one is missing', () => {
    for (const bytes of [[0x80, 2, 0xff], [0x80], [0x2e], [0x75, 0x2e], [0x68, 3, 0x2e], [0x8a, 9, 0]])
      expect(() => unpickle(Uint8Array.from(bytes))).toThrow(/byte|takes?|nothing/);
  });
});

describe('weights', () => {
  it('are read by what they begin with, not by what they are called', async () => {
    const safetensors = await readFile(join(here, 'models', 'timm_average', 'model.safetensors'));
    const swapped = await directoryOf({
      'pytorch_model.bin': safetensors,
      'model.safetensors': await readFile(saved),
      'right.safetensors': safetensors,
    });
    expect(await numbersIn(join(swapped, 'pytorch_model.bin'))).toEqual(
      await numbersIn(join(swapped, 'right.safetensors')),
    );
    expect(await numbersIn(join(swapped, 'model.safetensors'))).toEqual(await numbersIn(saved));
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n', 'a pointer of Git LFS'],
    ['<!DOCTYPE html>\n<html><body>Not found</body></html>', 'a web page'],
  ])('that were not downloaded are called that', async (text, what) => {
    for (const name of ['model.safetensors', 'pytorch_model.bin']) {
      const folder = await directoryOf({ [name]: Buffer.from(text) });
      expect((await refusalOf(() => readCheckpointTensors(join(folder, name)))).found).toBe(what);
    }
  });

  it('in shards of torch.save are those of the whole', async () => {
    const whole = await numbersIn(old);
    const folder = await directoryOf({
      'pytorch_model.bin.index.json': Buffer.from(
        JSON.stringify({
          weight_map: Object.fromEntries(Object.keys(whole).map((name) => [name, 'a-1.bin'])),
        }),
      ),
      'a-1.bin': await readFile(old),
    });
    expect(await numbersIn(join(folder, 'pytorch_model.bin.index.json'))).toEqual(whole);
  });
});
