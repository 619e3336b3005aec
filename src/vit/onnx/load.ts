import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../base/defined.js';
import { InputError, messageOf } from '../../base/errors.js';
import { seededRandom } from '../../base/random.js';
import { writeModel } from '../../onnx/file.js';
import type { OnnxModel } from '../../onnx/model.js';
import { elementCount } from '../../onnx/tensor.js';
import { defaultSessionOptions, type Engine, type Tensor } from '../../runtime/engine.js';
import { buildGraph } from '../graph/model.js';
import { INPUT } from '../graph/embedding.js';
import type { ViT } from '../vit.js';
import { assemble } from './assemble.js';
import { knownActivations } from './activation.js';
import { evaluate, runForeign } from './evaluate.js';
import { foreignGraph, HINT } from './graph.js';
import { imageInput } from './image-input.js';
import { refuseQuantised } from './number-formats.js';
import { logitsOf, parseViT, poolOf, type FoundBlock, type FoundPool } from './parse.js';
import type { Searched } from './pieces.js';
import { probe, type Passage } from './probe.js';
import { unfused } from './unfused.js';
import { UnrecognisedGraph } from './unrecognised.js';
import { withoutWholeSlices } from './whole-slices.js';
import { widened } from './widened.js';

/** How far logits of the same images may lie apart, as a share of the largest where that is above one. */
const TOLERANCE = 1e-4;

/** The same of a file whose numbers were rounded to 16 bits, those of its activations and scales among them. */
const ROUNDED_TOLERANCE = 0.01;

/** An ONNX file that was recognised. */
export interface ImportedViT {
  readonly vit: ViT;
  /** Largest difference between its logits and the file's own, on random images. */
  readonly difference: number;
  /** Whether the file computes in 16 bits: its logits are then those of the same numbers in float32. */
  readonly widened: boolean;
}

/**
 * Recognises a Vision Transformer in an ONNX file that another tool exported (PyTorch from torchvision, timm or Transformers), by how
 * its numbers flow and not by names, and checks that what was recognised gives the same logits as the file does on random
 * images. Operators that ONNX Runtime's optimisers fused are taken apart for that, and numbers of 16 bits widened.
 *
 * @param path - the `.onnx` file
 * @param content - what it holds
 * @param config - a `config.json` that may name the classes (`id2label`); undefined where there is none
 * @param engine - runs the file
 * @returns the model in float32; its tensors are read from the file when they are needed
 * @throws UnrecognisedGraph at the node that was not understood, when it cannot be run, or when logits differ; InputError when a
 *   file cannot be read
 */
export async function loadOnnx(
  path: string,
  content: OnnxModel,
  config: string | undefined,
  engine: Engine,
): Promise<ImportedViT> {
  refuseQuantised(path, content);
  const wide = widened(content);
  const model = wide ?? content;
  const graph = foreignGraph(path, unfused(model) ?? model, wide !== undefined);
  const { name, dims } = imageInput(graph);
  const image = engine.tensor('float32', noise(elementCount(dims)), dims);
  const ran = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => notRun(path, error));
  const evaluated = await ran(evaluate(engine, graph, { [name]: image }));
  const searched = await withoutWholeSlices({ ...graph, ...evaluated });
  const found = await parseViT(searched);
  const pool = poolOf(found);
  const passages = [...found.blocks.flatMap(passagesOf), ...(pool ? poolPassagesOf(pool) : [])];
  const moved = await ran(probe(engine, searched, passages));
  const activations = await ran(
    knownActivations(
      engine,
      searched,
      [...found.blocks, ...(pool ? [pool] : [])].map(({ activation }) => activation),
    ),
  );
  const tokens = await ran(tokensOfBlack(engine, searched, found.start, name, dims));
  const vit = await assemble(searched, { ...found, moved, activations, tokens }, dims, config);
  const difference = await checkedDifference(
    engine,
    { path, wide, output: logitsOf(graph) },
    vit,
    name,
    dims,
  );
  return { vit, difference, widened: wide !== undefined };
}

function noise(length: number): Float32Array {
  const random = seededRandom(1);
  return Float32Array.from({ length }, () => random.normal());
}

/** @throws UnrecognisedGraph for what the runtime says; what was refused stays so */
function notRun(path: string, error: unknown): never {
  if (error instanceof InputError) throw error;
  const text = messageOf(error);
  throw new UnrecognisedGraph(
    { kind: 'not-run', text },
    { source: path, found: text, expected: 'a model that ONNX Runtime runs' },
  );
}

/** All tokens of an image of zeros as they come into the first block: what is added to the patches, and what stands before them. */
async function tokensOfBlack(
  engine: Engine,
  { model }: Searched,
  start: string,
  name: string,
  dims: readonly number[],
): Promise<Tensor> {
  const black = engine.tensor('float32', new Float32Array(elementCount(dims)), dims);
  const results = await runForeign(
    engine,
    { ...model, outputs: [], untypedOutputs: [start] },
    { [name]: black },
  );
  return defined(results[start], `the value ${start}`);
}

/** The pieces of a block that move numbers: into queries, keys and values, and from the heads to the output projection. */
function passagesOf({ attention, context, o }: FoundBlock): Passage[] {
  const { q, k, v, output } = attention;
  return [
    ...[q, k, v].map(({ linear, value, between }) => ({ from: linear.output, to: value, nodes: between })),
    { from: output, to: o.linear.input, nodes: context },
  ];
}

/** The same of pooling by attention, whose query moves nowhere. */
function poolPassagesOf({ attention: { k, v, output }, context, o }: FoundPool): Passage[] {
  return [
    ...[k, v].map(({ linear, value, between }) => ({ from: linear.output, to: value, nodes: between })),
    { from: output, to: o.input, nodes: context },
  ];
}

/** The file whose logits count. */
interface Original {
  readonly path: string;
  /** The same in float32, where it computes in 16 bits: converters write files of mixed types that ONNX Runtime does not survive. */
  readonly wide: OnnxModel | undefined;
  /** The output that gives the logits. */
  readonly output: string;
}

async function checkedDifference(
  engine: Engine,
  { path, wide, output }: Original,
  vit: ViT,
  name: string,
  dims: readonly number[],
): Promise<number> {
  const image = engine.tensor('float32', noise(elementCount(dims)), dims);
  const logits = async (file: string, input: string, output: string): Promise<Float32Array> => {
    const session = await engine.open(file, { ...defaultSessionOptions, threads: 2 });
    try {
      return defined((await session.run({ [input]: image }))[output], `the output ${output}`)
        .data as Float32Array;
    } finally {
      await session.close();
    }
  };
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-import-'));
  try {
    const file = wide ? (await writeModel(wide, join(folder, 'wide.onnx'))).path : path;
    const theirs = await logits(file, name, output);
    const graph = buildGraph(vit);
    const own = await writeModel(graph, join(folder, 'model.onnx'));
    const ours = await logits(own.path, INPUT, defined(graph.outputs[0], 'an output').name);
    const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const difference = ours.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (theirs[i] ?? NaN))),
      0,
    );
    const tolerance = wide ? ROUNDED_TOLERANCE : TOLERANCE;
    if (!(difference <= tolerance * largest)) {
      throw new UnrecognisedGraph(
        { kind: 'logits-differ', output, difference: Number.isFinite(difference) ? difference : null },
        {
          source: path,
          place: output,
          found: `logits that differ by ${difference.toPrecision(3)} from those of what was recognised, on random images`,
          expected: `the same but for ${tolerance}`,
          hint: HINT,
        },
      );
    }
    return difference;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
