import { defined } from '../base/defined.js';
import { GraphBuilder } from '../onnx/builder.js';
import { serializeModel } from '../onnx/file.js';
import type { OnnxModel } from '../onnx/model.js';
import { binary, dequantizeLinear, gemm, quantizeLinear, reduce } from '../onnx/ops.js';
import { defaultSessionOptions, type Engine, type Session, type Tensor } from '../runtime/engine.js';
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

/** What a float linear gives for sampled rows. */
export interface FloatOutput {
  readonly rows: number;
  /** `[rows, outputs]`. */
  readonly values: Float32Array;
  /** Σ y² over rows and outputs. */
  readonly signal: number;
}

/** What a candidate puts in a float linear's place. */
export interface TriedLinear extends FloatLinear {
  /** How its input is quantised; undefined leaves it float. */
  readonly input: InputRange | undefined;
}

/** Compares candidates with float linears on sampled rows; the products run in ONNX Runtime. */
export interface Evaluator {
  /**
   * What candidates are compared with: computed once for all of them.
   *
   * @param sample - rows of the linear's float input
   * @param linear - the float linear
   */
  output(sample: RowSample, linear: FloatLinear): Promise<FloatOutput>;
  /**
   * @param output - what the float linear gives
   * @param sample - rows of what the candidate reads, float: the same as the linear's, or the same in other coordinates
   * @param candidate - the weights that its rounded ones stand for, and a bias
   */
  error(output: FloatOutput, sample: RowSample, candidate: TriedLinear): Promise<OutputError>;
  close(): Promise<void>;
}

/**
 * Opens the evaluator.
 *
 * @param engine - the runtime
 * @param threads - for the runtime
 */
export async function openEvaluator(engine: Engine, threads: number): Promise<Evaluator> {
  // Sessions take turns here: a pool that waits actively would keep the others from its cores.
  const options = { ...defaultSessionOptions, threads, spinning: false };
  const open = async (graph: OnnxModel): Promise<Session> =>
    engine.open(await serializeModel(graph), options);
  const linear = await open(linearGraph());
  const [float, quantized] = [await open(errorGraph(false)), await open(errorGraph(true))];
  const feedsOf = ({ rows, values }: RowSample, { weight, bias }: FloatLinear): Record<string, Tensor> => ({
    x: engine.tensor('float32', values, [rows, values.length / rows]),
    weight: engine.tensor('float32', weight, [bias.length, weight.length / bias.length]),
    bias: engine.tensor('float32', bias, [bias.length]),
  });
  return {
    async output(sample, of) {
      const values = floatsIn(await linear.run(feedsOf(sample, of)), 'y');
      let signal = 0;
      for (const y of values) signal += y * y;
      return { rows: sample.rows, values, signal };
    },
    async error({ rows, values, signal }, sample, candidate) {
      const feeds = feedsOf(sample, candidate);
      feeds['y'] = engine.tensor('float32', values, [rows, values.length / rows]);
      const { input } = candidate;
      if (input) {
        feeds['scale'] = engine.tensor('float32', Float32Array.of(input.scale), []);
        feeds['zero'] = engine.tensor('uint8', Uint8Array.of(input.zeroPoint), []);
      }
      const result = await (input ? quantized : float).run(feeds);
      return { squared: floatsIn(result, 'squared'), mean: floatsIn(result, 'mean'), signal };
    },
    close: async () => {
      for (const session of [linear, float, quantized]) await session.close();
    },
  };
}

function floatsIn(outputs: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  return defined(outputs[name], name).data as Float32Array;
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

const [rows, inputs, outputs] = [{ free: 'rows' }, { free: 'inputs' }, { free: 'outputs' }];

/** `y = x · Wᵀ + b`. */
function linearGraph(): OnnxModel {
  const g = new GraphBuilder('linear');
  const x = g.input('x', 'float32', [rows, inputs]);
  const weight = g.input('weight', 'float32', [outputs, inputs]);
  g.output(gemm(g, 'y', x, weight, g.input('bias', 'float32', [outputs]), { b: true }));
  return g.finish();
}

/** How far a linear's output lies from `y`. */
function errorGraph(quantizesInput: boolean): OnnxModel {
  const g = new GraphBuilder('quantisation error');
  const x = g.input('x', 'float32', [rows, inputs]);
  const weight = g.input('weight', 'float32', [outputs, inputs]);
  const bias = g.input('bias', 'float32', [outputs]);
  const y = g.input('y', 'float32', [rows, outputs]);
  let read = x;
  if (quantizesInput) {
    const scale = g.input('scale', 'float32', []);
    const zero = g.input('zero', 'uint8', []);
    read = dequantizeLinear(g, 'dequantised', quantizeLinear(g, 'quantised', x, scale, zero), scale, zero);
  }
  const error = binary(g, 'Sub', 'error', y, gemm(g, 'product', read, weight, bias, { b: true }));
  g.output(reduce(g, 'ReduceSum', 'squared', binary(g, 'Mul', 'square', error, error), [0]));
  g.output(reduce(g, 'ReduceMean', 'mean', error, [0]));
  return g.finish();
}
