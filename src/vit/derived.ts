import { InputError } from '../base/errors.js';
import { firstNotFinite } from '../base/finite.js';
import { elementCount, float32, tensorOf, viewAs, type TensorSource } from '../onnx/tensor.js';
import { featureWidth, type ViTConfig } from './config.js';

/**
 * A float32 tensor that is computed from others when it is read, and not kept.
 *
 * @param dims - its shape
 * @param compute - gives the elements
 */
export function computed(dims: readonly number[], compute: () => Promise<Float32Array>): TensorSource {
  return { dtype: 'float32', dims, read: async () => tensorOf('float32', dims, await compute()).read() };
}

/**
 * Numbers of a file, all of which must be finite: what is computed from others means nothing.
 *
 * @param source - the file
 * @param place - the tensor in it, for the message
 * @param values - its elements
 * @returns the same
 * @throws InputError at the first that is not
 */
export function finite(source: string, place: string, values: Float32Array): Float32Array {
  const at = firstNotFinite(values);
  if (at === -1) return values;
  throw new InputError({
    source,
    place,
    found: `${values[at]} (element ${at} of ${values.length})`,
    expected: 'finite numbers: the weights are damaged',
  });
}

/** The elements of a float32 tensor. */
export async function floats(tensor: TensorSource): Promise<Float32Array> {
  return viewAs(await tensor.read(), Float32Array);
}

/** A float32 tensor of zeros. */
export function zeros(dims: readonly number[]): TensorSource {
  return float32(dims, new Float32Array(elementCount(dims)));
}

/**
 * Two float32 matrices (or vectors), the rows of the second below those of the first.
 *
 * @param first - `[rows, …]`
 * @param second - `[rows, …]`
 */
export function stackedRows(first: TensorSource, second: TensorSource): TensorSource {
  const dims = [first.dims[0]! + second.dims[0]!, ...first.dims.slice(1)];
  return computed(dims, async () => {
    const out = new Float32Array(elementCount(dims));
    const upper = await floats(first);
    out.set(upper);
    out.set(await floats(second), upper.length);
    return out;
  });
}

/** The transpose of a float32 matrix. */
export function transposed(tensor: TensorSource): TensorSource {
  const [rows, columns] = tensor.dims as [number, number];
  return computed([columns, rows], async () => {
    const values = await floats(tensor);
    const out = new Float32Array(values.length);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]!;
    return out;
  });
}

/**
 * A float32 matrix (or vector) whose rows are multiplied by a number each: LayerScale, folded into the layer before it.
 *
 * @param tensor - `[rows, …]`
 * @param factors - `[rows]`
 */
export function scaledRows(tensor: TensorSource, factors: TensorSource): TensorSource {
  return computed(tensor.dims, async () => {
    const [values, scales] = [await floats(tensor), await floats(factors)];
    const width = values.length / scales.length;
    const out = new Float32Array(values.length);
    for (const [row, scale] of scales.entries())
      for (let i = row * width; i < (row + 1) * width; i++) out[i] = values[i]! * scale;
    return out;
  });
}

/**
 * Some rows of a float32 matrix (or elements of a vector), in the order asked for.
 *
 * @param tensor - `[any, …]`
 * @param rows - which
 */
export function pickedRows(tensor: TensorSource, rows: Int32Array): TensorSource {
  const width = elementCount(tensor.dims.slice(1));
  return computed([rows.length, ...tensor.dims.slice(1)], async () => {
    const values = await floats(tensor);
    const out = new Float32Array(rows.length * width);
    for (const [to, from] of rows.entries())
      out.set(values.subarray(from * width, (from + 1) * width), to * width);
    return out;
  });
}

/** A classifier of one token. */
export interface TokenClassifier {
  /** `[classes, hidden]`, or as wide as the features. */
  readonly weight: TensorSource;
  /** `[classes]`. */
  readonly bias: TensorSource;
}

/**
 * One head that gives the mean of what classifiers of the class token and of the distillation token give.
 *
 * @param config - the architecture
 * @param heads - one for each token that is read, the class token's first; the columns of a token that none reads are zero
 * @returns `head.weight` and `head.bias`
 */
export function averagedHeads(
  config: ViTConfig,
  heads: readonly TokenClassifier[],
): [string, TensorSource][] {
  const { hiddenSize, labels } = config;
  const width = featureWidth(config);
  const [first] = heads;
  if (first && first.weight.dims[1] === width)
    return [
      ['head.weight', first.weight],
      ['head.bias', first.bias],
    ];
  const weight = computed([labels.length, width], async () => {
    const out = new Float32Array(labels.length * width);
    for (const [token, head] of heads.entries()) {
      const values = await floats(head.weight);
      for (const [index, value] of values.entries())
        out[Math.floor(index / hiddenSize) * width + token * hiddenSize + (index % hiddenSize)] =
          value / heads.length;
    }
    return out;
  });
  const bias = computed([labels.length], async () => {
    const out = new Float32Array(labels.length);
    for (const head of heads)
      for (const [index, value] of (await floats(head.bias)).entries()) out[index]! += value / heads.length;
    return out;
  });
  return [
    ['head.weight', weight],
    ['head.bias', bias],
  ];
}

/** What pooling by attention weighs tokens by, as checkpoints have it. */
export interface PoolQuery {
  /** `[hidden]`: the query before its projection. */
  readonly latent: TensorSource;
  /** `[hidden, hidden]` and `[hidden]`: its projection. */
  readonly query: TensorSource;
  readonly bias: TensorSource;
  /** `[hidden, hidden]`: the projection of the keys. */
  readonly keys: TensorSource;
}

/**
 * For each head the vector whose product with a token is the token's score: `qᵀ · K / √d`, since the query is the same for all images.
 *
 * @param heads - how many
 * @param of - query and keys
 * @returns `[heads, hidden]`
 */
export function poolScores(heads: number, { latent, query, bias, keys }: PoolQuery): TensorSource {
  const [width = 0] = latent.dims.slice(-1);
  return computed([heads, width], async () => {
    const [x, w, b, k] = [await floats(latent), await floats(query), await floats(bias), await floats(keys)];
    const size = width / heads;
    const out = new Float64Array(heads * width);
    for (let row = 0; row < width; row++) {
      let q = b[row]!;
      for (let c = 0; c < width; c++) q += w[row * width + c]! * x[c]!;
      const head = Math.floor(row / size);
      for (let c = 0; c < width; c++) out[head * width + c]! += (q * k[row * width + c]!) / Math.sqrt(size);
    }
    return Float32Array.from(out);
  });
}
