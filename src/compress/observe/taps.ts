import type { GraphBuilder, Value } from '../../onnx/builder.js';
import type { Tensor } from '../../runtime/engine.js';
import type { BlockValueName } from '../../vit/graph/block.js';

/**
 * Something that is observed while a block, or another part of a model, runs: it adds outputs to the part's graph and accumulates what
 * they give, batch by batch. What leaves the runtime are reductions and samples, not activations.
 */
export interface Tap<Result, Name extends string = BlockValueName> {
  /**
   * Adds the observing nodes.
   *
   * @param g - the part's graph
   * @param values - the part's values, those that are observed among them
   * @returns the values to make outputs
   */
  emit(g: GraphBuilder, values: Readonly<Record<Name, Value>>): readonly Value[];
  /** Inputs that the observing nodes need for the next batch; none unless defined. */
  feeds?(): Readonly<Record<string, Tensor>>;
  /** Takes the outputs of one batch. */
  add(outputs: Readonly<Record<string, Tensor>>): void;
  /** What was observed over all batches. */
  result(): Result;
}

/** The numbers of an output, by name. */
export function numbers(outputs: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`the graph gave no ${name}`);
  return tensor.data as Float32Array;
}
