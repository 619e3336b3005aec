import { defined } from '../../base/defined.js';
import { elementCount } from '../../onnx/tensor.js';
import type { OnnxNode } from '../../onnx/model.js';
import type { Engine, Tensor } from '../../runtime/engine.js';
import { notUnderstood } from './graph.js';
import { shapeOf, type Searched } from './pieces.js';
import { runPieces } from './run-pieces.js';

/** A piece of a graph that should do no more than move numbers and scale them all alike. */
export interface Passage {
  /** The value that goes in. */
  readonly from: string;
  /** The value that comes out. */
  readonly to: string;
  /** The nodes on the way, in order. */
  readonly nodes: readonly OnnxNode[];
}

/** Where the numbers of a passage's output come from. */
export interface Moved {
  readonly dims: readonly number[];
  /** For each element of the output: its place along the last axis of the input. */
  readonly columns: Int32Array;
  /** What every number is multiplied by. */
  readonly scale: number;
}

/**
 * Finds what passages do by sending numbers through them: ones, which come out as the scale, and each number's place along the
 * last axis, which says where it went. Nothing has to be known of how the exporter wrote it.
 *
 * @param engine - the runtime
 * @param graph - the graph
 * @param passages - pieces of it
 * @throws InputError at a passage that does something else
 */
export async function probe(
  engine: Engine,
  graph: Searched,
  passages: readonly Passage[],
): Promise<readonly Moved[]> {
  const pieces = passages.map(({ from, to, nodes }) => ({ from: [from], to, nodes }));
  const run = (value: (column: number) => number): Promise<readonly Tensor[]> =>
    runPieces(
      engine,
      graph,
      pieces,
      passages.map(({ from }) => {
        const dims = shapeOf(graph, from);
        const width = defined(dims.at(-1), `the width of ${from}`);
        const data = Float32Array.from({ length: elementCount(dims) }, (_, i) => value(i % width));
        return [engine.tensor('float32', data, dims)];
      }),
    );
  const [ones, places] = [await run(() => 1), await run((column) => column)];
  return passages.map(({ to, nodes: way }, index): Moved => {
    const [unit, place] = [
      defined(ones[index], `the value ${to}`),
      defined(places[index], `the value ${to}`),
    ];
    const [scales, values] = [unit.data as Float32Array, place.data as Float32Array];
    const [scale = NaN] = scales;
    const columns = Int32Array.from(values, (value) => Math.round(value / scale));
    const plain =
      scales.every((each) => each === scale) &&
      columns.every((column, i) => Math.abs(column * scale - (values[i] ?? NaN)) <= 1e-3 * Math.abs(scale));
    if (!plain)
      throw notUnderstood(graph, way.at(-1), 'numbers that are moved and scaled alike, and nothing more');
    return { dims: unit.dims, columns, scale };
  });
}
