import { cifarLayout } from '../src/data/dataset.js';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../src/base/paths.js';
import { readModel, writeModel } from '../src/onnx/file.js';
import { float32, tensorOf, viewAs } from '../src/onnx/tensor.js';
import { eventSchema } from '../src/protocol/events.js';
import { decodeLines, encodeLine } from '../src/protocol/lines.js';
import { MeasurementCollector } from '../src/protocol/measurement.js';
import { PROTOCOL_VERSION, type AccuracyTask } from '../src/protocol/task.js';

/** The reference model, and CIFAR-10 in the folder that `EDGEFLEX_DATA` names. */
const MODEL = join('suites', 'models', 'vit-tiny-cifar10');
const RECIPES = ['int8', 'edgeflex', 'peer-qdq-minmax', 'peer-dynamic-int8', 'w8', 'w4'];

/** What an image is in the binary files of CIFAR-10: its class, then its pixels. */
const RECORD_BYTES = 3073;

/** An emulated image takes seconds. */
const IMAGES = Number(process.env['IMAGES'] ?? 300);
const BATCH = 10;

/** Largest 7-bit weight: two products with 255 are 32,130, and 16 bits hold 32,767. */
const SEVEN_BITS = 63;
const EIGHT_BITS = 127;

/** What runs the agent: this processor, or one with AVX2 and nothing newer. */
const machines: Readonly<Record<string, readonly string[]>> = {
  native: [],
  AVX2: ['qemu-x86_64-static', '-cpu', 'Haswell'],
};

/**
 * Images and logits of INT8 variants on a processor with VNNI, and on an emulated one without, as the runtime has it there, with
 * `x64QuantPrecision`, and with weights of 7 bits.
 */
export async function saturation(): Promise<void> {
  const data = process.env['EDGEFLEX_DATA'] ?? join('data', 'cifar10');
  const images = join(data, 'cifar-10-batches-bin', 'test_batch.bin');
  const bytes = await readFile(images);
  const labels = Array.from({ length: IMAGES }, (_, image) => bytes[image * RECORD_BYTES]!);
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-saturation-'));
  try {
    const plain = join(folder, 'fp32.yaml');
    await writeFile(plain, 'name: fp32\nstages: []\n');
    const fp32 = await compressed(plain, join(folder, 'fp32'), data);
    const exact = await logitsOf('native', fp32, images);
    console.log(`${IMAGES} test images of CIFAR-10; error: mean and largest |logit − fp32|`);
    report('fp32', 'native', exact, exact, labels);
    for (const recipe of RECIPES) {
      const file = join('suites', 'recipes', `${recipe}.yaml`);
      const variant = await compressed(file, join(folder, recipe), data);
      const show = async (name: string, machine: string, model: Files, precise?: boolean): Promise<void> => {
        const how = precise === true ? `${machine}, x64QuantPrecision` : machine;
        report(name, how, await logitsOf(machine, model, images, precise), exact, labels);
      };
      await show(recipe, 'native', variant);
      await show(recipe, 'AVX2', variant);
      await show(recipe, 'AVX2', variant, true);
      if (recipe !== 'int8' && recipe !== 'edgeflex') continue;
      const narrow = await inSevenBits(variant, join(folder, `${recipe}-7.onnx`));
      await show(`${recipe}, 7 bits`, 'native', narrow);
      await show(`${recipe}, 7 bits`, 'AVX2', narrow);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Files {
  readonly model: string;
  readonly preprocess: string;
}

async function compressed(recipe: string, out: string, data: string): Promise<Files> {
  const args = ['bin/edgeflex.js', 'compress', MODEL, '--recipe', recipe, '-o', out];
  await promisify(execFile)(process.execPath, [...args, '--dataset', 'cifar10', '--data', data], {
    cwd: packageRoot(),
  });
  return { model: join(out, 'model.onnx'), preprocess: join(out, 'preprocess.onnx') };
}

/** A variant whose int8 weights have lost a bit: rounded to −63 … 63, with scales that much larger. */
async function inSevenBits({ model: from, preprocess }: Files, to: string): Promise<Files> {
  const model = await readModel(from);
  const initializers = new Map(model.initializers);
  for (const [name, tensor] of model.initializers) {
    const scales = model.initializers.get(`${name}_scales`);
    if (tensor.dtype !== 'int8' || scales === undefined) continue;
    const narrow = Int8Array.from(viewAs(await tensor.read(), Int8Array), (value) =>
      Math.round((value * SEVEN_BITS) / EIGHT_BITS),
    );
    const wide = viewAs(await scales.read(), Float32Array).map((s) => (s * EIGHT_BITS) / SEVEN_BITS);
    initializers.set(name, tensorOf('int8', tensor.dims, narrow));
    initializers.set(`${name}_scales`, float32(scales.dims, wide));
  }
  await writeModel({ ...model, initializers }, to);
  return { model: to, preprocess };
}

/** Logits of the first test images, `[images, classes]`, from the agent that measures all else. */
async function logitsOf(
  machine: string,
  files: Files,
  images: string,
  precise?: boolean,
): Promise<Float32Array> {
  const task: AccuracyTask = {
    ...{ kind: 'accuracy', protocol: PROTOCOL_VERSION, ...files, batch: BATCH, microBatch: BATCH },
    session: { threads: 1, ...(precise !== undefined && { x64QuantPrecision: precise }) },
    images: { layout: cifarLayout, files: [{ path: images, records: IMAGES }] },
    count: IMAGES,
  };
  const emulator = machines[machine] ?? [];
  const command = [...emulator, process.execPath, join(packageRoot(), 'dist', 'agent', 'agent.mjs')];
  const agent = spawn('env', command, { stdio: ['pipe', 'pipe', 'ignore'] });
  agent.stdin.write(encodeLine(task));
  const collector = new MeasurementCollector();
  const ended = once(agent, 'close');
  for await (const event of decodeLines(
    eventSchema,
    agent.stdout.setEncoding('utf8') as AsyncIterable<string>,
  )) {
    if (event.event === 'failed') throw new Error(event.reason);
    collector.add(event);
  }
  await ended;
  const values = collector.measurement.logits.flatMap((each) => [...each.values]);
  if (values.length !== IMAGES * 10) throw new Error(`logits of ${values.length / 10} images`);
  return Float32Array.from(values);
}

function report(
  name: string,
  how: string,
  logits: Float32Array,
  exact: Float32Array,
  labels: readonly number[],
): void {
  const classOf = (values: Float32Array, image: number): number => {
    const row = values.subarray(image * 10, (image + 1) * 10);
    return row.indexOf(Math.max(...row));
  };
  const right = labels.filter((label, image) => classOf(logits, image) === label).length;
  const same = labels.filter((_, image) => classOf(logits, image) === classOf(exact, image)).length;
  const errors = logits.map((value, index) => Math.abs(value - exact[index]!));
  const mean = errors.reduce((sum, each) => sum + each, 0) / errors.length;
  console.log(
    `${name.padEnd(20)} ${how.padEnd(24)} right ${right}, class of fp32 ${same}, error ${mean.toFixed(4)}, ` +
      Math.max(...errors).toFixed(4),
  );
}
