import { join } from 'node:path';
import { packageRoot } from '../base/paths.js';
import { binaryDataset } from './binary.js';
import { defineDataset } from './kind.js';

/** Ten drawn shapes of 32 × 32 pixels that come with EdgeFlex. */
export const shapes10 = defineDataset({
  name: 'shapes10',
  folder: 'shapes10',
  builtIn: join(packageRoot(), 'suites', 'data', 'shapes10'),
  hint: 'shapes10 comes with edgeflex, in suites/data/.',
  ...binaryDataset('shapes10', {
    train: /^train\.bin$/,
    test: /^test\.bin$/,
    labels: 'labels.txt',
  }),
});
