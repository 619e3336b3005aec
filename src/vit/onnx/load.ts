import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../base/defined.js';
import { InputError, messageOf } from '../../base/errors.js';
import { seededRandom } from '../../base/random.js';
import { writeModel } from '../../onnx/file.js';
import type { OnnxModel } from '../../onnx/model.js';
import { elementCount } from '../../onnx/tensor.js';
import { defaultSessionOptions, type Engine } from '../../runtime/engine.js';
import { buildGraph } from '../graph/model.js';
import { INPUT } from '../graph/embedding.js';
import { OUTPUT } from '../graph/head.js';
import type { ViT } from '../vit.js';
import { assemble } from './assemble.js';
import { evaluate } from './evaluate.js';
import { foreignGraph } from './graph.js';
import { imageInput } from './image-input.js';
import { refuseOtherNumbers } from './number-formats.js';
import { logitsOf, parseViT, type FoundBlock } from './parse.js';
import type { Searched } from './pieces.js';
import { probe, type Passage } from './probe.js';

/** How far logits of the same images may lie apart, as a share of the largest where that is above one. */
const TOLERANCE = 1e-4;

/** An ONNX file that was recognised. */
export interface ImportedViT {
  readonly vit: ViT;
  /** Largest difference between its logits and the file's own, on random images. */
  readonly difference: number;
}

/**
 * Recognises a ViT or DeiT in an ONNX file that another tool exported (PyTorch from torchvision, timm or Transformers), by how
 * its numbers flow and not by names, and checks that what was recognised gives the same logits as the file does on random
 * images.
 *
 * @param path - the `.onnx` file
 * @param content - what it holds
 * @param config - a `config.json` that may name the classes (`id2label`); undefined where there is none
 * @param engine - runs the file
 * @returns the model in float32; its tensors are read from the file when they are needed
 * @throws InputError when the file cannot be read or run, at the node that was not understood, or when logits differ
 */
export async function loadOnnx(
  path: string,
  content: OnnxModel,
  config: string | undefined,
  engine: Engine,
): Promise<ImportedViT> {
  const graph = foreignGraph(path, content);
  refuseOtherNumbers(graph);
  const { name, dims } = imageInput(graph);
  const image = engine.tensor('float32', noise(elementCount(dims)), dims);
  const evaluated = await evaluate(engine, graph, { [name]: image }).catch((error: unknown) => {
    throw new InputError({
      source: path,
      found: messageOf(error),
      expected: 'a model that ONNX Runtime runs',
    });
  });
  const searched: Searched = { ...graph, ...evaluated };
  const found = await parseViT(searched);
  const passages = found.blocks.flatMap(passagesOf);
  const moved = await probe(engine, searched, passages);
  const vit = await assemble(searched, found, moved, dims, config);
  return { vit, difference: await checkedDifference(engine, searched, vit, name, dims) };
}

function noise(length: number): Float32Array {
  const random = seededRandom(1);
  return Float32Array.from({ length }, () => random.normal());
}

/** The pieces of a block that move numbers: into queries, keys and values, and from the heads to the output projection. */
function passagesOf({ attention, context, o }: FoundBlock): Passage[] {
  const { q, k, v, output } = attention;
  return [
    ...[q, k, v].map(({ linear, value, between }) => ({ from: linear.output, to: value, nodes: between })),
    { from: output, to: o.linear.input, nodes: context },
  ];
}

async function checkedDifference(
  engine: Engine,
  { path, model }: Searched,
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
    const theirs = await logits(path, name, logitsOf({ path, model }));
    const own = await writeModel(buildGraph(vit), join(folder, 'model.onnx'));
    const ours = await logits(own.path, INPUT, OUTPUT);
    const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const difference = ours.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (theirs[i] ?? NaN))),
      0,
    );
    if (!(difference <= TOLERANCE * largest))
      throw new InputError({
        source: path,
        place: logitsOf({ path, model }),
        found: `logits that differ by ${difference.toPrecision(3)} from those of what was recognised, on random images`,
        expected: `the same but for ${TOLERANCE}`,
        hint: 'The graph computes something that was not recognised. Its checkpoint (safetensors) can be given instead.',
      });
    return difference;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
