import type { Tensor } from 'onnxruntime-common';

export type { Tensor };

/** How a session is opened. Every field is recorded with the measurement. */
export interface SessionOptions {
  /** Threads that share the work of one operator. */
  readonly threads: number;
  /**
   * Plans all activations into one block after the first run. Off by default: the block comes on top of what the first
   * run took, so that the peak is higher and the latency the same.
   */
  readonly memoryPattern: boolean;
  /** Keeps freed activations for the next run instead of giving them back to the system. */
  readonly arena: boolean;
  /** Lets idle threads wait actively between operators: faster, and busy. */
  readonly spinning: boolean;
  /**
   * On x86-64, multiplies INT8 by kernels whose sums do not saturate at 16 bits: exact on processors without VNNI, too, and slower
   * everywhere. The runtime leaves weights of −64 … 64 to its other kernels, which are exact for them.
   */
  readonly x64QuantPrecision?: boolean | undefined;
  /**
   * What the model leaves open of its inputs' shapes, by name, where that is known before it runs: what the runtime computes of them then
   * is computed once, while it loads.
   */
  readonly freeDimensions?: Readonly<Record<string, number>> | undefined;
}

/** The options a device profile starts from. */
export const defaultSessionOptions: Omit<SessionOptions, 'threads' | 'x64QuantPrecision'> = {
  memoryPattern: false,
  arena: true,
  spinning: true,
};

/** One execution of an operator that the runtime's profiler saw. */
export interface KernelCall {
  /** Name of the node. */
  readonly node: string;
  /** Operator that was executed, after the runtime's own fusions. */
  readonly opType: string;
  /** Where it ran: `CPUExecutionProvider`. */
  readonly provider: string;
  /** On the processor; for a kernel on a GPU that is the time to give it to the GPU. */
  readonly milliseconds: number;
  /** On the GPU by its own clock; undefined where it has none. */
  readonly gpuMilliseconds?: number;
}

/** What a runtime says of itself. */
export interface RuntimeInfo {
  readonly name: string;
  readonly version: string;
  /** The execution provider asked for; nothing else may run a node. */
  readonly provider: string;
}

/** A model that an engine has no kernels for: not a fault, and not to be run somewhere else instead. The message says why. */
export class UnsupportedModel extends Error {
  override readonly name = 'UnsupportedModel';

  constructor(
    message: string,
    /** Operators without a kernel, as far as the runtime names them. */
    readonly operators: readonly string[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A model: a file (in a page, its URL), or the bytes of one that has no external data. */
export type ModelSource = string | Uint8Array;

/** An open model. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Type of the elements of the first input. */
  readonly inputType: string;
  /**
   * Runs the model once, inputs on the host to outputs on the host.
   *
   * @param inputs - by their names
   * @param outputs - names of those that are wanted; left out, all
   * @throws Error with the runtime's message when an input does not fit or an operator fails
   */
  run(
    inputs: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
  ): Promise<Readonly<Record<string, Tensor>>>;
  /** Frees the session. */
  close(): Promise<void>;
}

/** A session whose operators are timed; of use for saying what ran, not for latency, which profiling distorts. */
export interface ProfiledSession extends Session {
  /** Ends profiling and gives every operator call so far. */
  calls(): Promise<KernelCall[]>;
}

/** An ONNX runtime: the only thing that differs between a process on a CPU and a page in a browser. */
export interface Engine {
  readonly info: RuntimeInfo;
  /**
   * Opens a model.
   *
   * @throws UnsupportedModel when the provider has no kernels for it; Error with the runtime's message when it cannot be loaded
   */
  open(model: ModelSource, options: SessionOptions): Promise<Session>;
  /** Opens a model that is not measured, such as the preprocessing, on the processor, whatever the provider is. */
  openOnProcessor(model: ModelSource, options: SessionOptions): Promise<Session>;
  /** Opens a model with the profiler on. */
  openProfiled(model: ModelSource, options: SessionOptions): Promise<ProfiledSession>;
  /** Makes a tensor over an array, without a copy. */
  tensor<T extends 'float32' | 'float64' | 'float16' | 'uint8' | 'int64'>(
    type: T,
    data: Tensor.DataTypeMap[T],
    dims: readonly number[],
  ): Tensor;
}
