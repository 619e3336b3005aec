import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { builtInConfig, builtInTensors, safetensorsBytes, type RawTensor } from '../vit/checkpoint.js';
import { edgeflex } from './support.js';

const root = packageRoot();
const builtIn = {
  model: join(root, 'suites/models/vit-micro-shapes10'),
  data: join(root, 'suites/data/shapes10'),
};

let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  env = { EDGEFLEX_CACHE: join(folder, 'cache') };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A suite that is right but for what a case changes. */
interface SuiteParts {
  readonly data?: string;
  readonly model?: string;
  readonly more?: readonly string[];
}

async function suiteOf(name: string, { data, model, more = [] }: SuiteParts): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  const lines = [
    'name: case',
    `data: { name: shapes10, path: ${data ?? builtIn.data} }`,
    `models: [{ path: ${model ?? builtIn.model} }]`,
    `devices: [${root}/devices/local-cpu.yaml]`,
    'performance: { batches: [1], tier: smoke, rounds: 1 }',
    ...more,
  ];
  await writeFile(path, lines.join('\n'));
  return path;
}

/** The built-in images with the test file changed. */
async function dataWith(name: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  const data = join(folder, name);
  await cp(builtIn.data, data, { recursive: true });
  await rm(join(data, 'SHA256SUMS'));
  await writeFile(join(data, 'test.bin'), change(await readFile(join(data, 'test.bin'))));
  return data;
}

/** The built-in model with some files changed. */
async function modelWith(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const model = join(folder, name);
  await cp(builtIn.model, model, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(model, file), content);
  return model;
}

async function tensorsWith(change: (tensors: Map<string, RawTensor>) => void): Promise<Buffer> {
  const tensors = await builtInTensors();
  change(tensors);
  return safetensorsBytes(tensors);
}

interface Case {
  readonly what: string;
  /** Arguments of the command; results go to a folder of the test unless they say otherwise. */
  readonly args: () => Promise<string[]>;
  /** What the message must name: the file, the place, what was found, what was expected. */
  readonly says: readonly (string | RegExp)[];
}

const run = async (suite: string | Promise<string>): Promise<string[]> => [
  'run',
  await suite,
  '--results',
  join(folder, 'results'),
];

const cases: Case[] = [
  {
    what: 'a suite that is not there',
    args: () => run('suites/quick.yaml'),
    says: ['suites/quick.yaml', 'found no such file', 'expected a suite'],
  },
  {
    what: 'YAML that is none',
    args: async () => {
      const path = join(folder, 'broken.yaml');
      await writeFile(path, 'name: x\nmodels: [\n');
      return run(path);
    },
    says: ['broken.yaml', /line \d+, column \d+/, 'expected a suite in YAML'],
  },
  {
    what: 'YAML with an unknown key',
    args: () => run(suiteOf('unknown-key', { more: ['recipies: []'] })),
    says: ['unknown-key.yaml:6', 'recipies', 'unknown key'],
  },
  {
    what: 'a precision that is none',
    args: async () => [...(await run(suiteOf('imprecise', {}))), '--precision', '100%'],
    says: ['--precision', '100%', 'less than 100 %'],
  },
  {
    what: 'a precision that is no number',
    args: async () => [...(await run(suiteOf('wordy', {}))), '--precision', 'high'],
    says: ['--precision', 'high'],
  },
  {
    what: 'a data directory that is missing',
    args: () => run(suiteOf('no-data', { data: join(folder, 'nowhere') })),
    says: ['data.path', 'no shapes10 images in', 'nowhere'],
  },
  {
    what: 'CIFAR-10 images that nobody has yet',
    args: () => run('suites/cifar10.yaml'),
    says: ['no cifar10 images in', 'edgeflex data fetch cifar10', '--data', 'EDGEFLEX_DATA'],
  },
  {
    what: 'a batch file that was cut',
    args: async () =>
      run(suiteOf('cut', { data: await dataWith('cut', (bytes) => bytes.subarray(0, bytes.length - 100)) })),
    says: ['test.bin', 'expected', '3073'],
  },
  {
    what: 'a label that is out of range',
    args: async () =>
      run(
        suiteOf('label', {
          data: await dataWith('label', (bytes) => {
            bytes[3073 * 7] = 10;
            return bytes;
          }),
        }),
      ),
    says: ['test.bin', 'record 7', 'label 10'],
  },
  {
    what: 'a safetensors file whose header lies',
    args: async () => {
      const bytes = await readFile(join(builtIn.model, 'model.safetensors'));
      bytes.writeBigUInt64LE(BigInt(bytes.length) * 2n);
      return run(suiteOf('lie', { model: await modelWith('lie', { 'model.safetensors': bytes }) }));
    },
    says: ['model.safetensors', 'header', 'expected'],
  },
  {
    what: 'a tensor of a wrong shape',
    args: async () => {
      const bytes = await tensorsWith((tensors) => {
        const { dtype, bytes: floats } = tensors.get('classifier.bias')!;
        tensors.set('classifier.bias', { dtype, shape: [5, 2], bytes: floats });
      });
      return run(suiteOf('shape', { model: await modelWith('shape', { 'model.safetensors': bytes }) }));
    },
    says: ['classifier.bias', '[5, 2]', '[10]'],
  },
  {
    what: 'a config that is no ViT',
    args: async () => {
      const config = await builtInConfig({ model_type: 'bert', architectures: ['BertModel'] });
      return run(suiteOf('bert', { model: await modelWith('bert', { 'config.json': config }) }));
    },
    says: ['config.json', 'model_type', 'bert', 'vit'],
  },
  {
    what: 'a recipe that prunes everything',
    args: () =>
      run(
        suiteOf('everything', {
          more: ['recipes: [{ name: nothing-left, stages: [prune: { ratio: 1 }] }]'],
        }),
      ),
    says: ['everything.yaml:6', 'ratio', 'found 1', 'less than 1'],
  },
  {
    what: 'results that cannot be written',
    args: async () => {
      const sealed = join(folder, 'sealed');
      await mkdir(sealed);
      await chmod(sealed, 0o555);
      // Permissions do not hold the superuser back; a file in the folder's place does.
      await writeFile(join(folder, 'a-file'), '');
      const results = process.getuid?.() === 0 ? join(folder, 'a-file') : sealed;
      return ['run', await suiteOf('sealed', {}), '--results', results];
    },
    says: ['edgeflex.db', 'expected a results database that can be written', '--results'],
  },
  {
    what: 'no test image at all',
    args: () => run('suites/quickstart.yaml').then((words) => [...words, '--images', '0']),
    says: ['--images', 'at least 1'],
  },
  {
    what: 'a device that is not there',
    args: () => run('suites/quickstart.yaml').then((words) => [...words, '--device', 'devices/none.yaml']),
    says: ['none.yaml', 'found no such file', 'expected a device profile'],
  },
  {
    what: 'a command that does not exist',
    args: () => Promise.resolve(['rum']),
    says: ["unknown command 'rum'", 'run'],
  },
  {
    what: 'a run that is not stored',
    args: () => Promise.resolve(['report', '1999', '--results', join(folder, 'nothing')]),
    says: ['edgeflex.db', 'found no such file', 'run a suite first'],
  },
  {
    what: 'a model that is not there',
    args: () =>
      Promise.resolve(['compress', 'vit-enormous', '--recipe', 'suites/recipes/int8.yaml', '-o', folder]),
    says: ['vit-enormous', 'vit-tiny'],
  },
];

describe('what is refused, with exit code 2 and one message', () => {
  test.each(cases)('$what', async ({ args, says }) => {
    const { code, out, err } = await edgeflex(await args(), env);
    for (const part of says) expect(err).toMatch(part);
    expect(code).toBe(exitCodes.usage);
    expect(out).toBe('');
    expect(err.match(/error: /g)).toHaveLength(1);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('--verbose shows where it comes from', async () => {
    const { err } = await edgeflex(['run', 'suites/quick.yaml', '--verbose'], env);
    expect(err).toMatch(/^\s+at /m);
  });
});

test('a place where no report can be written is refused before anything is measured', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const suite = await suiteOf('reports', {});
  const results = join(folder, 'never');
  for (const reports of [file, join(file, 'below')]) {
    const { code, err } = await edgeflex(['run', suite, '--results', results, '--reports', reports], env);
    expect([code, err.includes(reports)]).toEqual([exitCodes.usage, true]);
  }
  await expect(readFile(join(results, 'edgeflex.db'))).rejects.toThrow();
});
