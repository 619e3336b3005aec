import { symbolOf, type Dim } from './dims.js';
import type { DType } from './dtype.js';
import type { Attribute, OnnxModel, OnnxNode, ValueInfo } from './model.js';
import { int64s, type TensorSource } from './tensor.js';

/** A value in a graph that is being built: what flows between operators. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly Dim[];
}

/** What an operator call needs besides its inputs. */
export interface OpOptions {
  readonly domain?: 'com.microsoft';
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** Operator set versions that every emitted graph declares: Attention needs 23, which came with IR version 11. */
const OPSETS = { '': 23, 'com.microsoft': 1 };
const IR_VERSION = 11;

/**
 * Collects nodes in execution order into an ONNX model. Every value carries its type and shape, so that
 * memory can be predicted without running anything; the operators themselves are in `ops.ts`.
 */
export class GraphBuilder {
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers = new Map<string, TensorSource>();
  private readonly values = new Map<string, ValueInfo>();

  constructor(private readonly name: string) {}

  /** Declares an input of the model. */
  input(name: string, dtype: DType, dims: readonly Dim[]): Value {
    const value = this.define(name, dtype, dims);
    this.inputs.push(infoOf(value));
    return value;
  }

  /**
   * Adds a constant under a name of its own; the same name and tensor may be added again.
   *
   * @throws Error when the name is taken by something else
   */
  constant(name: string, tensor: TensorSource): Value {
    const present = this.initializers.get(name);
    if (present === undefined) {
      this.claim(name);
      this.initializers.set(name, tensor);
    } else if (present !== tensor) {
      throw new Error(`two constants are called ${name}`);
    }
    return { name, dtype: tensor.dtype, dims: tensor.dims };
  }

  /** A vector of indices, sizes or axes (int64); the same numbers are stored once. */
  indices(values: readonly number[]): Value {
    const name = `int64:${values.join(',')}`;
    return this.constant(name, this.initializers.get(name) ?? int64s(values));
  }

  /**
   * Adds an operator call with one result.
   *
   * @param opType - the operator
   * @param inputs - its inputs; undefined leaves an optional one out
   * @param output - name (also the node's), type and shape of the result
   */
  call(
    opType: string,
    inputs: readonly (Value | undefined)[],
    output: Value,
    options: OpOptions = {},
  ): Value {
    this.callMany(opType, inputs, [output], options);
    return output;
  }

  /** Like `call`, for operators with several results; an undefined result is one that is not wanted. */
  callMany<Outputs extends readonly (Value | undefined)[]>(
    opType: string,
    inputs: readonly (Value | undefined)[],
    outputs: Outputs,
    options: OpOptions = {},
  ): Outputs {
    for (const output of outputs) if (output) this.define(output.name, output.dtype, output.dims);
    this.nodes.push({
      name: outputs.find((output) => output !== undefined)?.name ?? opType,
      opType,
      domain: options.domain ?? '',
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: outputs.map((output) => output?.name ?? ''),
      attributes: options.attributes ?? {},
    });
    return outputs;
  }

  /** Makes a value an output of the model, under the name it has. */
  output(value: Value): void {
    this.outputs.push(infoOf(value));
  }

  /**
   * The finished model.
   *
   * @param metadata - properties to store in the file
   */
  finish(metadata: Readonly<Record<string, string>> = {}): OnnxModel {
    const ends = new Set([...this.inputs, ...this.outputs].map(({ name }) => name));
    return {
      name: this.name,
      irVersion: IR_VERSION,
      opsets: OPSETS,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: this.nodes,
      initializers: this.initializers,
      values: [...this.values.values()].filter(({ name }) => !ends.has(name)),
      metadata,
    };
  }

  private define(name: string, dtype: DType, dims: readonly Dim[]): Value {
    this.claim(name);
    const value = { name, dtype, dims };
    this.values.set(name, infoOf(value));
    return value;
  }

  private claim(name: string): void {
    if (this.values.has(name) || this.initializers.has(name))
      throw new Error(`two values are called ${name}`);
  }
}

function infoOf(value: Value): ValueInfo {
  return { name: value.name, dtype: value.dtype, dims: value.dims.map(symbolOf) };
}
