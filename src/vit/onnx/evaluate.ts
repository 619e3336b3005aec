import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../base/defined.js';
import type { DType } from '../../onnx/dtype.js';
import { writeModel } from '../../onnx/file.js';
import type { OnnxModel, OnnxNode } from '../../onnx/model.js';
import { tensorOf, type TensorSource } from '../../onnx/tensor.js';
import { defaultSessionOptions, type Engine, type Tensor } from '../../runtime/engine.js';
import { outputOf, weightConstant, type ForeignGraph } from './graph.js';

/** What one run of a graph shows besides its logits. */
export interface Evaluated {
  /** Shapes of all values that depend on the image. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** What fixed values are that nodes which depend on the image read: shapes to reshape to, scales, class tokens. */
  readonly values: ReadonlyMap<string, TensorSource>;
}

/**
 * Runs a model of another tool with further outputs. It is written to a temporary folder for that, one tensor at a time.
 *
 * @param engine - the runtime
 * @param model - the graph
 * @param inputs - its inputs
 */
export async function runForeign(
  engine: Engine,
  model: OnnxModel,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-import-'));
  try {
    const { path } = await writeModel(model, join(folder, 'model.onnx'));
    const session = await engine.open(path, { ...defaultSessionOptions, threads: 2 });
    try {
      return await session.run(inputs);
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Finds the shapes of all values and what does not depend on the image, for one size of batch.
 *
 * @param engine - the runtime
 * @param graph - the graph
 * @param inputs - an image, or as many as the graph takes
 */
export async function evaluate(
  engine: Engine,
  graph: ForeignGraph,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Evaluated> {
  const { model, fixed, constants } = graph;
  const moving = model.nodes.filter((node) => !fixed.has(outputOf(graph, node)));
  const measured = moving.flatMap(({ outputs }) => outputs.filter((name) => name !== ''));
  const shapeNodes = measured.map((name): OnnxNode => ({
    ...{ name: `${name}:shape`, opType: 'Shape', domain: '', attributes: {} },
    ...{ inputs: [name], outputs: [`${name}:shape`] },
  }));
  const wanted = new Set(
    moving.flatMap(({ inputs: read }) =>
      read.filter((name) => fixed.has(name) && name !== '' && !constants.has(name)),
    ),
  );
  // Large ones are read from the file when they are needed.
  for (const name of wanted) if (weightConstant(graph, name)?.dims.length === 2) wanted.delete(name);
  const results = await runForeign(
    engine,
    {
      ...model,
      nodes: [...model.nodes, ...shapeNodes],
      outputs: [],
      untypedOutputs: [...shapeNodes.flatMap(({ outputs }) => outputs), ...wanted],
    },
    inputs,
  );
  const given = (name: string): Tensor => defined(results[name], `the value ${name}`);
  const shapes = new Map(
    measured.map((name) => [name, Array.from(given(`${name}:shape`).data as BigInt64Array, Number)] as const),
  );
  return { shapes, values: new Map([...wanted].map((name) => [name, sourceOf(given(name))] as const)) };
}

function sourceOf({ type, dims, data }: Tensor): TensorSource {
  return tensorOf(type as DType, dims, data as Float32Array);
}
