import { join } from 'node:path';
import { seededRandom, type Random } from '../base/random.js';
import { withTemporaryFolder } from '../base/temporary.js';
import { IMAGE_CHANNELS } from '../data/dataset.js';
import { readImages, type RecordPlaces } from '../data/records.js';
import { readModel, writeModel } from '../onnx/file.js';
import { elementCount } from '../onnx/tensor.js';
import { defaultSessionOptions, type Engine, type Session, type Tensor } from '../runtime/engine.js';
import { nodeEngine } from '../runtime/node.js';
import { INPUT } from '../vit/graph/embedding.js';
import { withMovableSimilarities, type Move } from '../vit/graph/near-ties.js';
import type { Artifact } from './artifacts/artifact.js';
import { exactHere } from './exact-products.js';
import { agreementTolerance, firstApart, isExact, type ApartImage, type Difference } from './checks.js';

/**
 * How far the cosines of tokens may lie apart between two kernels. Of the model of shapes10, merging three tokens a block, they lay up to 7e-7
 * apart between a CPU and WebAssembly in float32,
 */
const FLOAT_MOVE = 2e-5;

/** and up to 2.3e-3 with INT8 products. */
const QUANTIZED_MOVE = 0.01;

/** How often an image is run with the similarities of its tokens moved, and how many times at once. */
const RUNS = 192;
const AT_ONCE = 16;

/** So many images at the most, or this share of them, are run again: where more lie apart, something else is wrong. */
const MOST_IMAGES = 4;
const MOST_SHARE = 0.01;

/** What running an image again needs of an artifact. */
export type MergingArtifact = Pick<
  Artifact,
  'model' | 'preprocess' | 'values' | 'kernels' | 'stages' | 'substitutions' | 'raw'
>;

/**
 * Looks for an image that lies apart for another reason than a near tie. A model that merges tokens chooses the most similar ones, and
 * where two choices are nearly as good, the last bits of a sum or one INT8 rounding decide between them, and the logits jump. That is taken
 * for the reason only where this machine gives the same logits, too, when it moves the similarities by no more than kernels differ in them.
 *
 * @param artifact - what ran
 * @param images - the test images that are scored, as it takes them
 * @param difference - which of them lie apart
 * @returns the first that is given by no run with moved similarities; undefined when there is none
 */
export async function firstWithoutTie(
  artifact: MergingArtifact,
  images: RecordPlaces,
  { apart, images: compared }: Difference,
): Promise<ApartImage | undefined> {
  if (apart.length > Math.max(MOST_IMAGES, MOST_SHARE * compared)) return apart[0];
  const engine = await nodeEngine();
  // One thread: another host may be timing what this machine serves. INT8 products are to be exact on any processor.
  const options = { ...defaultSessionOptions, threads: 1, ...exactHere(artifact) };
  const { model, moves } = withMovableSimilarities(await readModel(artifact.model), artifact.values);
  return withTemporaryFolder('ties', async (folder) => {
    const { path } = await writeModel(model, join(folder, 'model.onnx'));
    const preprocess = await engine.open(artifact.preprocess, options);
    const session = await engine.open(path, options);
    try {
      for (const each of apart) {
        const pixels = await pixelsOf(engine, preprocess, images, each.image);
        if (!(await isGiven(each, { engine, session, moves, pixels, artifact }))) return each;
      }
      return undefined;
    } finally {
      await session.close();
      await preprocess.close();
    }
  });
}

/** A test image as the model takes it. */
async function pixelsOf(
  engine: Engine,
  preprocess: Session,
  images: RecordPlaces,
  image: number,
): Promise<Tensor> {
  const { height, width, channels = IMAGE_CHANNELS } = images.layout;
  const stored = engine.tensor('uint8', await readImages(images, [image]), [1, channels, height, width]);
  const [input = ''] = preprocess.inputNames;
  const [pixels] = Object.values(await preprocess.run({ [input]: stored }));
  if (pixels === undefined) throw new Error('the preprocessing gave no output');
  return pixels;
}

/** What an image is run with. */
interface Runs {
  readonly engine: Engine;
  readonly session: Session;
  readonly moves: readonly Move[];
  readonly pixels: Tensor;
  readonly artifact: MergingArtifact;
}

/** Whether some run with moved similarities gives the logits of an image. */
async function isGiven({ image, logits }: ApartImage, runs: Runs): Promise<boolean> {
  const { engine, session, moves, pixels, artifact } = runs;
  const [tolerance, most] = [agreementTolerance(artifact), isExact(artifact) ? FLOAT_MOVE : QUANTIZED_MOVE];
  const random = seededRandom(image);
  const one = pixels.data as Float32Array;
  const copies = new Float32Array(AT_ONCE * one.length);
  for (let copy = 0; copy < AT_ONCE; copy++) copies.set(one, copy * one.length);
  const input = engine.tensor('float32', copies, [AT_ONCE, ...pixels.dims.slice(1)]);
  for (let done = 0; done < RUNS; done += AT_ONCE) {
    const moved = moves.map(({ name, dims }) => {
      const values = drawn(random, elementCount(dims), most);
      return [name, engine.tensor('float32', values, [AT_ONCE, ...dims])] as const;
    });
    const [given] = Object.values(await session.run({ [INPUT]: input, ...Object.fromEntries(moved) }));
    if (given === undefined) throw new Error('the model gave no output');
    const values = given.data as Float32Array;
    for (let copy = 0; copy < AT_ONCE; copy++) {
      const row = values.subarray(copy * logits.length, (copy + 1) * logits.length);
      if (firstApart(logits, row, tolerance) < 0) return true;
    }
  }
  return false;
}

/** For each copy of an image numbers of either sign: up to the most in the first, to a quarter of it in the next, and so on around. */
function drawn(random: Random, perCopy: number, most: number): Float32Array {
  return Float32Array.from({ length: AT_ONCE * perCopy }, (_, at) => {
    const largest = most / 4 ** (Math.floor(at / perCopy) % 4);
    return largest * (2 * random.uniform() - 1);
  });
}
