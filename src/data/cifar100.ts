import { binaryDataset, type BinaryLayout } from './binary.js';
import { cifarLayout } from './dataset.js';
import { defineDataset } from './kind.js';

/** A record begins with the coarse label, then the fine one. */
const labels = [
  ['coarse_labels', 'coarse_label_names'],
  ['fine_labels', 'fine_label_names'],
] as const;

const layout = (labelByte: 0 | 1): BinaryLayout => ({
  train: /^train\.bin$/,
  test: /^test\.bin$/,
  labels: `${labels[labelByte][1]}.txt`,
  records: { ...cifarLayout, labelBytes: 2 },
  labelByte,
  pickled: {
    batches: [
      ['train', 'train.bin'],
      ['test', 'test.bin'],
    ],
    labels: labels.map(([list]) => list),
    meta: 'meta',
    names: labels.map(([, names]) => [names, `${names}.txt`] as const),
  },
});

const places = {
  folder: 'cifar-100-binary',
  otherFolders: ['cifar-100-python'],
  hint: 'Get it with "edgeflex data fetch cifar100", or name a directory that has it with --data or EDGEFLEX_DATA.',
};

/** CIFAR-100 (Krizhevsky, 2009), in its binary or its Python version: 32 × 32 pixels, a hundred classes. */
export const cifar100 = defineDataset({
  name: 'cifar100',
  ...places,
  ...binaryDataset('cifar100', layout(1)),
});

/** The same images in their twenty coarse classes. */
export const cifar100Coarse = defineDataset({
  name: 'cifar100-coarse',
  fetchedAs: 'cifar100',
  ...places,
  ...binaryDataset('cifar100-coarse', layout(0)),
});
