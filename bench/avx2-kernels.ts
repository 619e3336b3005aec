import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from 'simple-statistics';
import { z } from 'zod';
import { packageRoot } from '../src/base/paths.js';
import { withTemporaryFolder } from '../src/base/temporary.js';
import { readModel } from '../src/onnx/file.js';
import { INTEGER_INPUTS } from '../src/run/exact-products.js';
import { pairedRatio } from '../src/stats/ratio.js';
import { foundSchema, type Found, type Job } from './avx2/job.js';
import { writeAvx2Library } from './avx2/library.js';

/** The folder of a model for CIFAR-10, and recipes by name or file; the first is the one that others are compared with. */
const MODEL = process.env['MODEL'] ?? join('suites', 'models', 'vit-tiny-cifar10');
const RECIPES = (process.env['RECIPES'] ?? 'int8,w8,edgeflex,edgeflex-merge,edgeflex-half').split(',');
const ROUNDS = Number(process.env['ROUNDS'] ?? 30);
const BATCH = 8;

/** Runs with the profiler. */
const PROFILED = 30;

/** What an image is in the binary files of CIFAR-10: its class, then its pixels. */
const RECORD_BYTES = 3073;

const QEMU = 'qemu-x86_64-static';

type Variant = Job['variants'][number];

/**
 * Processor time of variants with this processor's own kernels and with those that ONNX Runtime takes on a processor that has AVX2 and
 * nothing newer, batches of all in turn in one process; and whether the latter give the same logits as an emulated processor of that kind.
 */
export async function avx2Kernels(): Promise<void> {
  await withTemporaryFolder('avx2', async (folder) => {
    const library = join(folder, 'library');
    await writeAvx2Library(library);
    const data = process.env['EDGEFLEX_DATA'] ?? join('data', 'cifar10');
    const images = join(folder, 'images');
    await writeFile(images, await pixelsOf(join(data, 'cifar-10-batches-bin', 'test_batch.bin')));
    const fp32 = join(folder, 'fp32.yaml');
    await writeFile(fp32, 'name: fp32\nstages: []\n');
    const variants: Variant[] = [];
    for (const recipe of [fp32, ...RECIPES]) {
      const name = basename(recipe, '.yaml');
      const variant = { name, precise: false, ...(await compressed(recipe, join(folder, name), data)) };
      variants.push(variant);
      const { nodes } = await readModel(variant.model);
      if (nodes.some(({ opType }) => (INTEGER_INPUTS as readonly string[]).includes(opType)))
        variants.push({ ...variant, precise: true });
    }
    const job: Job = { images, batch: BATCH, rounds: ROUNDS, profiled: PROFILED, variants };
    const avx2 = { LD_LIBRARY_PATH: library };
    show("this processor's kernels", await run(job, {}));
    show('AVX2 kernels', await run(job, avx2));
    await compareWithEmulated(job, avx2);
  });
}

/** The first images of a file of CIFAR-10, without their classes. */
async function pixelsOf(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  const records = Array.from({ length: BATCH }, (_, image) =>
    bytes.subarray(image * RECORD_BYTES + 1, (image + 1) * RECORD_BYTES),
  );
  return Buffer.concat(records);
}

async function compressed(
  recipe: string,
  out: string,
  data: string,
): Promise<Pick<Variant, 'model' | 'preprocess'>> {
  const args = ['bin/edgeflex.js', 'compress', MODEL, '--recipe', recipe, '-o', out];
  await promisify(execFile)(process.execPath, [...args, '--dataset', 'cifar10', '--data', data], {
    cwd: packageRoot(),
  });
  return { model: join(out, 'model.onnx'), preprocess: join(out, 'preprocess.onnx') };
}

/** Does a job in a fresh process. */
async function run(
  job: Job,
  environment: NodeJS.ProcessEnv,
  emulator: readonly string[] = [],
): Promise<Found[]> {
  const child = fileURLToPath(new URL('avx2/child.js', import.meta.url));
  const command = [...emulator, process.execPath, child, JSON.stringify(job)];
  const { stdout } = await promisify(execFile)('env', command, { env: { ...process.env, ...environment } });
  return z.array(foundSchema).parse(JSON.parse(stdout));
}

function show(kernels: string, found: readonly Found[]): void {
  console.log(`${kernels}: processor time of a batch of ${BATCH}, speed (95 %), ms by operator`);
  const perRound = ({ times }: Found): Map<number, readonly number[]> =>
    new Map(times.map((time, round) => [round, [time]]));
  for (const each of found) {
    const speed = pairedRatio(perRound(found[0]!), perRound(each));
    const operators = Object.entries(each.operators)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 6)
      .map(([opType, time]) => `${opType} ${time.toFixed(1)}`);
    console.log(
      `  ${titleOf(each).padEnd(34)} ${median(each.times).toFixed(1).padStart(6)} ms  ` +
        `${speed ? `${speed.value.toFixed(2)}× (${speed.low.toFixed(2)}–${speed.high.toFixed(2)})  ` : ''}${operators.join(', ')}`,
    );
  }
}

function titleOf({ name, precise }: Pick<Found, 'name' | 'precise'>): string {
  return precise ? `${name}, x64QuantPrecision` : name;
}

/** Says whether the logits of a batch are, bit by bit, those of an emulated processor with AVX2 and nothing newer. */
async function compareWithEmulated(job: Job, avx2: NodeJS.ProcessEnv): Promise<void> {
  const found = await promisify(execFile)('which', [QEMU]).catch(() => undefined);
  if (found === undefined) {
    console.log(`${QEMU} is not there: logits are not compared with those of an emulated Haswell`);
    return;
  }
  for (const variant of job.variants) {
    const one = { ...job, rounds: 0, profiled: 0, variants: [variant] };
    const [here, emulated] = [await run(one, avx2), await run(one, {}, [QEMU, '-cpu', 'Haswell'])];
    const same = here[0]!.logits === emulated[0]!.logits;
    console.log(`  ${titleOf(variant).padEnd(34)} ${same ? 'the same bits as' : 'NOT THE SAME as'} emulated`);
  }
}
