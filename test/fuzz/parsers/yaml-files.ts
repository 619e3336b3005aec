import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineDevice } from '../../../src/device/kind.js';
import { readDeviceProfile } from '../../../src/device/profile.js';
import { registerDevice } from '../../../src/device/registry.js';
import { readSettings } from '../../../src/plugins/config.js';
import { pluginsOf, readRecipe, readSuite } from '../../../src/suite/read.js';
import { damagedYaml } from '../generate/yaml.js';
import { defineParser, type Parser } from '../parser.js';

const recipe = `name: all
description: every stage
stages:
  - prune: { ratio: 0.5 }
  - mergeTokens: { ratio: 0.3 }
  - quantize: { format: w8a8 }
microBatch: 1
`;

const suite = `name: small
description: two models
seed: 7
plugins: []
data: { name: shapes10, path: data }
models:
  - { name: a, path: models/a }
  - { synthetic: vit-tiny, imageSize: 224, seed: 2 }
  - { hub: owner/name, revision: main }
recipes:
  - recipe.yaml
  - { name: int8, stages: [{ quantize: { format: w8a8 } }] }
  - recipe: recipe.yaml
    published: { source: a, model: b, hardware: c, figures: [fast] }
devices: [local.yaml]
head: { kind: logistic, images: 64, refit: true }
accuracy: { batch: 8, images: 100 }
performance: { batches: [1, 8], tier: smoke, rounds: 2, precision: 0.01, maxRounds: 9 }
load: { server: { batches: [1], p99: 20 }, offline: { batches: [8] }, tier: rapid, rounds: 3 }
`;

const ablation = `name: small
data: shapes10
models: [{ synthetic: vit-tiny }]
matrix:
  stages: { prune: { prune: { ratio: 0.5 } }, int8: { quantize: { format: w8a8 } } }
  factors: { prune: [off, on], int8.format: [w8, w8a8], images: [8, 16], seed: [1, 2] }
  design: one-at-a-time
  exclude: [{ prune: on, seed: 2 }]
  name: '{stages}-{images}-{seed}'
devices: [local.yaml]
`;

const local = `name: here
kind: local
description: this machine
threads: 2
session: { memoryPattern: true, arena: false, spinning: true }
price: { amount: 60, currency: EUR }
power: { idle: 2, load: 9 }
emulated: false
`;

const board = `name: pi
kind: ssh
host: pi@board
config: ssh.config
folder: .cache/edgeflex
node: bring
coolDown: { temperature: 50, seconds: 60 }
restart: 60
meter: [watts, --now]
notes: on the shelf
`;

const foreign = `name: chip
kind: x-chip
options: { port: 1 }
`;

const page = `name: page
kind: browser
provider: wasm
`;

registerDevice(
  defineDevice({
    kind: 'x-chip',
    description: 'A kind of a plug-in, of which profiles alone are read.',
    options: z.strictObject({ port: z.number() }),
    open: () => Promise.reject(new Error('it is never opened')),
  }),
);

/** Writes each input to a file and reads it. */
function yamlFile(
  name: string,
  seeds: readonly string[],
  read: (path: string) => Promise<unknown>,
  beside: Readonly<Record<string, string>> = {},
): Parser {
  return defineParser({
    name,
    inputs: damagedYaml(...seeds),
    prepare: async (folder) => {
      const path = join(folder, 'edgeflex.config.yaml');
      for (const [file, text] of Object.entries(beside)) await writeFile(join(folder, file), text);
      return async (bytes) => {
        await writeFile(path, bytes);
        await read(path);
      };
    },
  });
}

/** All that is written in YAML. */
export const yamlFiles: readonly Parser[] = [
  yamlFile('suite', [suite, ablation], readSuite, { 'recipe.yaml': recipe }),
  yamlFile('plugins', [suite, 'plugins: [./a.mjs, b]\n'], pluginsOf),
  yamlFile('recipe', [recipe], readRecipe),
  yamlFile('device-profile', [local, board, foreign, page], readDeviceProfile),
  defineParser({
    name: 'settings',
    inputs: damagedYaml('plugins: []\n', 'plugins: [./nothing.mjs]\n'),
    prepare: async (folder) => {
      const directory = join(folder, 'settings');
      await mkdir(directory);
      return async (bytes) => {
        await writeFile(join(directory, 'edgeflex.config.yaml'), bytes);
        await readSettings(directory);
      };
    },
  }),
];
