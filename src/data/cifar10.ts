import { binaryDataset } from './binary.js';
import { defineDataset } from './kind.js';

/** CIFAR-10 in its binary version (Krizhevsky, 2009): 32 × 32 pixels, ten classes. */
export const cifar10 = defineDataset({
  name: 'cifar10',
  folder: 'cifar-10-batches-bin',
  hint: 'Get it with "edgeflex data fetch cifar10", or name a directory that has it with --data or EDGEFLEX_DATA.',
  ...binaryDataset('cifar10', {
    train: /^data_batch_[1-5]\.bin$/,
    test: /^test_batch\.bin$/,
    labels: 'batches.meta.txt',
  }),
});
