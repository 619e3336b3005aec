/** How neighbours vote. */
export interface Vote {
  /** How many of the nearest vote. */
  readonly neighbours: number;
  /** A vote weighs exp(cosine / temperature). */
  readonly temperature: number;
}

/** Temperature of votes among self-supervised embeddings (Wu et al., arXiv 1805.01978, section 3.4; Caron et al., DINO, arXiv 2104.14294). */
export const VOTE_TEMPERATURE = 0.07;

/**
 * The class that the nearest neighbours of an embedding vote for, each with the weight exp(cosine / temperature) (Wu et al., arXiv
 * 1805.01978, section 3.4). Of neighbours that are equally near the first counts, of classes with equal weights the one with the smaller
 * number.
 *
 * @param cosines - of the embedding and each of the labelled ones
 * @param classes - of the labelled ones
 * @param vote - how many vote, and how much more the nearer ones count
 * @returns −1 where a cosine is no number
 */
export function votedClass(
  cosines: ArrayLike<number>,
  classes: ArrayLike<number>,
  { neighbours, temperature }: Vote,
): number {
  const nearest: { cosine: number; label: number }[] = [];
  for (let i = 0; i < cosines.length; i++) {
    const cosine = cosines[i]!;
    if (Number.isNaN(cosine)) return -1;
    const last = nearest.at(-1);
    if (nearest.length === neighbours && last !== undefined && cosine <= last.cosine) continue;
    let place = nearest.length;
    while (place > 0 && nearest[place - 1]!.cosine < cosine) place -= 1;
    nearest.splice(place, 0, { cosine, label: classes[i]! });
    if (nearest.length > neighbours) nearest.pop();
  }
  const [first] = nearest;
  if (first === undefined) return -1;
  const weights = new Map<number, number>();
  for (const { cosine, label } of nearest) {
    const weight = Math.exp((cosine - first.cosine) / temperature);
    weights.set(label, (weights.get(label) ?? 0) + weight);
  }
  let chosen = { label: -1, weight: -Infinity };
  for (const [label, weight] of [...weights].sort(([a], [b]) => a - b))
    if (weight > chosen.weight) chosen = { label, weight };
  return chosen.label;
}

/**
 * Rows scaled to length one. A row of zeros stays one.
 *
 * @param values - `[rows, width]`
 * @param width - of a row
 */
export function unitRows(values: ArrayLike<number>, width: number): Float64Array {
  const out = Float64Array.from(values);
  for (let start = 0; start < out.length; start += width) {
    const row = out.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let j = 0; j < width; j++) row[j]! /= length;
  }
  return out;
}

/**
 * The cosine of the angle between rows of the same number, −1 … 1; 0 where one of them is all zeros.
 *
 * @param one - `[rows, width]`
 * @param other - the same
 * @param width - of a row
 * @throws RangeError when they have different numbers of rows
 */
export function rowCosines(one: ArrayLike<number>, other: ArrayLike<number>, width: number): number[] {
  if (one.length !== other.length) throw new RangeError(`${one.length} and ${other.length} numbers`);
  const [a, b] = [unitRows(one, width), unitRows(other, width)];
  return Array.from({ length: a.length / width }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += a[i]! * b[i]!;
    return Math.min(1, Math.max(-1, sum));
  });
}
