import { openBlas, type Blas } from '../compress/linalg/blas.js';
import type { LogitsRecord, Measurement } from '../protocol/measurement.js';
import { nodeEngine } from '../runtime/node.js';
import { rowCosines, unitRows, votedClass, type Vote } from '../stats/neighbours.js';
import type { Logits } from '../store/read.js';
import type { EmbeddingScores } from '../store/write.js';

/** Test images whose neighbours are looked for at once. */
const PORTION = 256;

/** Embeddings of training images. */
export interface EmbeddedBank {
  /** `[images, width]`. */
  readonly values: Float32Array;
  /** The class of each image. */
  readonly classes: Uint16Array;
}

/**
 * All outputs of a pass over images, in their order.
 *
 * @param measurement - of a task that ran on images 0, 1, 2 …
 * @returns `[images, width]`
 */
export function outputsOf({ logits }: Pick<Measurement, 'logits'>): Logits {
  const inOrder = [...logits].sort((a, b) => a.first - b.first);
  const values = new Float32Array(inOrder.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of inOrder) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { classes: inOrder[0]?.classes ?? 0, values };
}

/**
 * What is made of the embeddings of test images: the class that the neighbours of each among training images vote for, and how each lies to
 * that of the baseline.
 *
 * @param logits - embeddings of test images 0, 1, 2 …, as the device gave them
 * @param bank - embeddings of training images by the same variant on the same device
 * @param vote - how neighbours vote
 * @param baseline - embeddings of the same test images by the baseline on the same device; undefined for itself, and where it has none
 * @returns without anything where an embedding is not finite
 */
export async function embeddingScores(
  logits: readonly LogitsRecord[],
  bank: EmbeddedBank,
  vote: Vote,
  baseline: Logits | undefined,
): Promise<EmbeddingScores> {
  const { classes: width, values } = outputsOf({ logits });
  if (!values.every((value) => Number.isFinite(value))) return {};
  // One thread: another host may be timing what this machine serves, and a board this machine's own cells.
  const blas = await openBlas(await nodeEngine(), 1);
  try {
    return {
      predicted: await votedClasses(
        unitRows(values, width),
        unitRows(bank.values, width),
        bank,
        width,
        vote,
        blas,
      ),
      cosines:
        baseline?.values.length === values.length ? rowCosines(values, baseline.values, width) : undefined,
    };
  } finally {
    await blas.close();
  }
}

async function votedClasses(
  queries: Float64Array,
  known: Float64Array,
  { classes }: EmbeddedBank,
  width: number,
  vote: Vote,
  blas: Blas,
): Promise<number[]> {
  const chosen: number[] = [];
  for (let start = 0; start < queries.length; start += PORTION * width) {
    const portion = queries.slice(start, start + PORTION * width);
    const cosines = await blas.productTransposed(portion, known, width);
    for (let at = 0; at < cosines.length; at += classes.length)
      chosen.push(votedClass(cosines.subarray(at, at + classes.length), classes, vote));
  }
  return chosen;
}
