import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../src/base/paths.js';
import { elementCount } from '../../../src/onnx/tensor.js';
import { readTorchFile } from '../../../src/vit/checkpoints/torch-file.js';
import { damagedBytes } from '../generate/bytes.js';
import { defineParser } from '../parser.js';

const vit = join(packageRoot(), 'test', 'vit');
const saved = readFileSync(join(vit, 'models', 'torch_training', 'checkpoint.pth'));
const old = readFileSync(join(vit, 'fixtures', 'before-1.6.pth'));

/** What `torch.save` wrote, damaged, and the tensors read that are no larger than the file. */
export const torchFile = defineParser({
  name: 'torch-file',
  inputs: damagedBytes(saved, old),
  prepare: (folder) => {
    const path = join(folder, 'checkpoint.pth');
    return Promise.resolve(async (bytes: Buffer) => {
      await writeFile(path, bytes);
      const { tensors } = await readTorchFile(path);
      for (const tensor of tensors.values())
        if (elementCount(tensor.dims) <= bytes.length) await tensor.read();
    });
  },
});
