import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { square } from '../src/base/size.js';
import { plannedModel } from '../src/compress/planned.js';
import { stepOf } from '../src/compress/stage.js';
import { mergeTokensStage } from '../src/compress/stages/merge-tokens.js';
import { quantizeStage } from '../src/compress/stages/quantize.js';
import { withWidths } from '../src/compress/stand-ins.js';
import { openLocal } from '../src/device/local/device.js';
import { localProfile } from '../src/device/local/kind.js';
import { writeModel } from '../src/onnx/file.js';
import type { OnnxModel } from '../src/onnx/model.js';
import { A_FEW_RUNS, peakOfProbe, probe } from '../src/run/probe.js';
import { buildGraph } from '../src/vit/graph/model.js';
import { syntheticViT } from '../src/vit/synthetic.js';
import type { ViT } from '../src/vit/vit.js';
import { withBiasGelu, withChunkedMlps } from './mlp-forms.js';

const BATCH = 8;
const MIB = 2 ** 20;

/** A lever: what is changed, and nothing else. */
interface Lever {
  readonly name: string;
  readonly microBatch?: number;
  readonly session?: { readonly arena?: boolean; readonly memoryPattern?: boolean };
  readonly change?: (vit: ViT) => ViT;
  readonly graph?: (graph: OnnxModel) => OnnxModel;
  readonly file?: (path: string) => Promise<string>;
}

const halfChunked = { change: halved, graph: chunked };
const levers: readonly Lever[] = [
  { name: 'nothing' },
  ...[4, 2, 1].map((microBatch) => ({ name: `micro-batches of ${microBatch}`, microBatch })),
  { name: 'MLP in 4 pieces', graph: chunked },
  { name: 'bias in BiasGelu', graph: withBiasGelu },
  { name: 'weights packed on disk', file: packed },
  { name: 'no arena', session: { arena: false } },
  { name: 'memory pattern', session: { memoryPattern: true } },
  { name: 'half of the MLP neurons', change: halved },
  { name: '16 tokens merged in each block', change: merged },
  { name: 'half the neurons, MLP in 4 pieces', ...halfChunked },
  { name: 'half the neurons, batches of 4', microBatch: 4, change: halved },
  { name: 'the same, MLP in 4 pieces', microBatch: 4, ...halfChunked },
  { name: 'half the neurons, tokens, batches of 2', microBatch: 2, change: (vit) => merged(halved(vit)) },
];

/**
 * Peak memory of a ViT-Base at 224 pixels and batch 8 over the runtime's base, in a process of its own each time: what every
 * lever gives alone, in float32 and in INT8. Weights of the shape that compression makes stand in for the real ones. Beside the
 * peak stands what of the process is anonymous at the end: the rest is pages of files, which a system short of memory can drop.
 */
export async function memoryLevers(): Promise<void> {
  const float = syntheticViT('vit-base', 1, square(224), ['a', 'b']);
  for (const [form, quantized] of [
    ['float32', (vit: ViT) => vit],
    ['int8', int8],
  ] as const) {
    let plain: number | undefined;
    for (const lever of levers) {
      const { peak, anonymous } = await measure(quantized((lever.change ?? same)(float)), lever);
      plain ??= peak;
      const share = `${((100 * (peak - plain)) / plain).toFixed(0)} %`;
      console.log(
        `  ${form.padEnd(8)} ${lever.name.padEnd(40)} ${inMiB(peak)} ${share.padStart(6)}  anonymous ${inMiB(anonymous)}`,
      );
    }
  }
}

/** Bytes: the peak over the base, and what is anonymous after the last run. */
async function measure(
  vit: ViT,
  { microBatch, session, graph = same, file }: Lever,
): Promise<{ readonly peak: number; readonly anonymous: number }> {
  const device = await openLocal(localProfile({ name: 'here', threads: 2, ...(session && { session }) }));
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-levers-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeModel(graph(buildGraph(vit)), path);
    const { signal } = new AbortController();
    const probed = { model: file ? await file(path) : path, config: vit.config, batch: BATCH, microBatch };
    const measurement = await probe(device, probed, A_FEW_RUNS, signal);
    const steady = measurement.phases.find(({ phase }) => phase === 'steady');
    return { peak: peakOfProbe(measurement), anonymous: steady!.memory.anonymous! };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await device.close();
  }
}

function inMiB(bytes: number): string {
  return `${(bytes / MIB).toFixed(1).padStart(7)} MiB`;
}

function same<T>(one: T): T {
  return one;
}

function chunked(graph: OnnxModel): OnnxModel {
  return withChunkedMlps(graph, 4);
}

/** The model as the runtime rewrites it: optimised, and every weight in the order its kernel wants, mapped from the file. */
async function packed(path: string): Promise<string> {
  const target = path.replace('.onnx', '.packed.onnx');
  const session = await InferenceSession.create(path, {
    ...{ graphOptimizationLevel: 'all', optimizedModelFilePath: target, logSeverityLevel: 3 },
    extra: {
      session: {
        optimized_model_external_initializers_file_name: 'model.packed.onnx.data',
        optimized_model_external_initializers_min_size_in_bytes: '1024',
        save_external_prepacked_constant_initializers: '1',
      },
    },
  });
  await session.release();
  return target;
}

function int8(vit: ViT): ViT {
  return plannedModel(vit, [stepOf(quantizeStage, { format: 'w8a8' })]);
}

function halved(vit: ViT): ViT {
  return withWidths(
    vit,
    vit.config.mlpSizes.map((width) => width / 2),
  );
}

function merged(vit: ViT): ViT {
  return plannedModel(vit, [stepOf(mergeTokensStage, { r: 16 })]);
}
