import { binaryDataset } from './binary.js';
import { defineDataset } from './kind.js';

/** CIFAR-10 (Krizhevsky, 2009), in its binary or its Python version: 32 × 32 pixels, ten classes. */
export const cifar10 = defineDataset({
  name: 'cifar10',
  folder: 'cifar-10-batches-bin',
  otherFolders: ['cifar-10-batches-py'],
  hint: 'Get it with "edgeflex data fetch cifar10", or name a directory that has it with --data or EDGEFLEX_DATA.',
  ...binaryDataset('cifar10', {
    train: /^data_batch_[1-5]\.bin$/,
    test: /^test_batch\.bin$/,
    labels: 'batches.meta.txt',
    pickled: {
      batches: [
        ...[1, 2, 3, 4, 5].map((batch) => [`data_batch_${batch}`, `data_batch_${batch}.bin`] as const),
        ['test_batch', 'test_batch.bin'],
      ],
      labels: ['labels'],
      meta: 'batches.meta',
      names: [['label_names', 'batches.meta.txt']],
    },
  }),
});
