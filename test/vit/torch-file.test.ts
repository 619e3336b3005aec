import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { unpickle } from '../../src/base/unpickle.js';
import { readTorchFile } from '../../src/vit/checkpoints/torch-file.js';
import { refusalOf } from '../support/refusal.js';
import { directoryOf } from './checkpoint.js';

const saved = join(packageRoot(), 'test', 'vit', 'models', 'torch_bin', 'pytorch_model.bin');

async function changed(change: (bytes: Buffer) => Uint8Array): Promise<string> {
  return join(await directoryOf({ 'a.pth': change(await readFile(saved)) }), 'a.pth');
}

describe('a file of torch.save', () => {
  it('is refused when it is cut off, or another file', async () => {
    for (const length of [10, 5000, 12_000])
      await refusalOf(async () => readTorchFile(await changed((bytes) => bytes.subarray(0, length))));
    const { found } = await refusalOf(async () => readTorchFile(await changed(() => new Uint8Array(8))));
    expect(found).toContain('a pickle that is no archive');
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
