import { defined } from '../base/defined.js';
import { GraphBuilder } from '../onnx/builder.js';
import { serializeModel } from '../onnx/file.js';
import type { OnnxModel } from '../onnx/model.js';
import { binary, dequantizeLinear, gemm, quantizeLinear, reduce } from '../onnx/ops.js';
import { defaultSessionOptions, type Engine, type Tensor } from '../runtime/engine.js';
import type { RowSample } from './observe/sample.js';
import type { InputRange } from './quantize/rounding.js';

/** How far a quantised linear's output is from the float one on the sampled rows. */
export interface OutputError {
  /** Σ error² over the rows, `[outputs]`. */
  readonly squared: Float32Array;
  /** Mean error (float minus quantised) over the rows, `[outputs]`: what a bias correction adds. */
  readonly mean: Float32Array;
  /** Σ y² of the float output, over rows and outputs. */
  readonly signal: number;
}

/** A float linear. */
export interface FloatLinear {
  /** `[outputs, inputs]`. */
  readonly weight: Float32Array;
  /** `[outputs]`. */
  readonly bias: Float32Array;
}

/** What a candidate puts in a float linear's place. */
export interface TriedLinear {
  /** The weights that its rounded ones stand for, `[outputs, inputs]`. */
  readonly weight: Float32Array;
  /** How its input is quantised; undefined leaves it float. */
  readonly input: InputRange | undefined;
}

/** Compares candidates with the float linear on sampled rows; the products run in ONNX Runtime. */
export interface Evaluator {
  /**
   * @param sample - rows of the linear's float input
   * @param linear - the float linear
   * @param candidate - what to compare; its bias is the float one
   */
  error(sample: RowSample, linear: FloatLinear, candidate: TriedLinear): Promise<OutputError>;
  close(): Promise<void>;
}

/**
 * Opens the evaluator.
 *
 * @param engine - the runtime
 * @param threads - for the runtime
 */
export async function openEvaluator(engine: Engine, threads: number): Promise<Evaluator> {
  // Two sessions take turns here: a pool that waits actively would keep the other from its cores.
  const options = { ...defaultSessionOptions, threads, spinning: false };
  const float = await engine.open(await serializeModel(errorGraph(false)), options);
  const quantized = await engine.open(await serializeModel(errorGraph(true)), options);
  return {
    async error(sample, linear, candidate) {
      const outputs = linear.bias.length;
      const inputs = linear.weight.length / outputs;
      const feeds: Record<string, Tensor> = {
        x: engine.tensor('float32', sample.values, [sample.rows, inputs]),
        weight: engine.tensor('float32', linear.weight, [outputs, inputs]),
        bias: engine.tensor('float32', linear.bias, [outputs]),
        candidate: engine.tensor('float32', candidate.weight, [outputs, inputs]),
      };
      const { input } = candidate;
      if (input) {
        feeds['scale'] = engine.tensor('float32', Float32Array.of(input.scale), []);
        feeds['zero'] = engine.tensor('uint8', Uint8Array.of(input.zeroPoint), []);
      }
      const result = await (input ? quantized : float).run(feeds);
      const floats = (name: string): Float32Array => defined(result[name], name).data as Float32Array;
      return {
        squared: floats('squared'),
        mean: floats('mean'),
        signal: defined(floats('signal')[0], 'signal'),
      };
    },
    close: async () => {
      await float.close();
      await quantized.close();
    },
  };
}

/** Squared error over all outputs. */
export function totalError(error: OutputError): number {
  return error.squared.reduce((sum, value) => sum + value, 0);
}

/**
 * Signal-to-quantisation-noise ratio of a linear's output, in decibels: 10·log10(Σy² / Σ(y − ŷ)²); infinite where there is
 * no error, even where there is no signal either.
 */
export function sqnr(error: OutputError): number {
  const noise = totalError(error);
  return noise === 0 ? Infinity : 10 * Math.log10(error.signal / noise);
}

function errorGraph(quantizesInput: boolean): OnnxModel {
  const g = new GraphBuilder('quantisation error');
  const [rows, inputs, outputs] = [{ free: 'rows' }, { free: 'inputs' }, { free: 'outputs' }];
  const x = g.input('x', 'float32', [rows, inputs]);
  const weight = g.input('weight', 'float32', [outputs, inputs]);
  const bias = g.input('bias', 'float32', [outputs]);
  const candidate = g.input('candidate', 'float32', [outputs, inputs]);
  let read = x;
  if (quantizesInput) {
    const scale = g.input('scale', 'float32', []);
    const zero = g.input('zero', 'uint8', []);
    read = dequantizeLinear(g, 'dequantised', quantizeLinear(g, 'quantised', x, scale, zero), scale, zero);
  }
  const y = gemm(g, 'y', x, weight, bias, { b: true });
  const product = gemm(g, 'product', read, candidate, bias, { b: true });
  const error = binary(g, 'Sub', 'error', y, product);
  g.output(reduce(g, 'ReduceSum', 'squared', binary(g, 'Mul', 'square', error, error), [0]));
  g.output(reduce(g, 'ReduceMean', 'mean', error, [0]));
  g.output(reduce(g, 'ReduceSum', 'signal', binary(g, 'Mul', 'power', y, y)));
  return g.finish();
}
