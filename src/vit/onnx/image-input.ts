import { isWhole, square, type Size } from '../../base/size.js';
import { fixedSize } from '../../onnx/dims.js';
import { behindViews, type ForeignGraph } from './graph.js';
import { UnrecognisedGraph } from './unrecognised.js';

/** The images that a graph takes. */
export interface ImageInput {
  readonly name: string;
  /** `[images, channels, height, width]`; two images where any number goes. */
  readonly dims: readonly number[];
}

/** Sides beyond this are refused before anything is made of them. */
const MAX_SIDE = 4096;

/**
 * Finds the input of a graph. Where its axes are free, as Optimum writes them, channels and sides are those that the first convolution and
 * the positions are for: a square where they say no more.
 *
 * @param graph - the graph
 * @throws UnrecognisedGraph when there is not one input of float32 images
 */
export function imageInput(graph: ForeignGraph): ImageInput {
  const inputs = graph.model.inputs.filter(({ name }) => !graph.constants.has(name));
  const [input, another] = inputs;
  const found =
    inputs.map((each) => `${each.name}: ${each.dtype} [${each.dims.join(', ')}]`).join('; ') || 'none';
  const refuse = (expected: string): UnrecognisedGraph =>
    new UnrecognisedGraph(
      { kind: 'inputs', found, expected },
      {
        ...{ source: graph.path, place: 'inputs', found, expected },
        hint: 'Export it for float32 images of a fixed size, with no dynamic axis but the batch.',
      },
    );
  if (input?.dtype !== 'float32' || another !== undefined || input.dims.length !== 4)
    throw refuse('one float32 input [batch, channels, height, width]');
  const [images, ...rest] = input.dims;
  const [channels, height, width] = rest.map(fixedSize);
  const told: Partial<Size> = {
    ...(height !== undefined && { height }),
    ...(width !== undefined && { width }),
  };
  const known =
    channels !== undefined && height !== undefined && width !== undefined
      ? { channels, size: { height, width } }
      : shapeOfPatches(graph, input.name, told);
  const sides = known && [known.size.height, known.size.width];
  if (
    !known ||
    !sides ||
    (channels ?? known.channels) < 1 ||
    sides.some((side) => side < 1 || side > MAX_SIDE)
  )
    throw refuse(
      'one float32 input [batch, channels, height, width] of a size that it or the positions tell',
    );
  return { name: input.name, dims: [fixedSize(images) ?? 2, channels ?? known.channels, ...sides] };
}

/** Where an operator that cuts the image into patches has its weight. */
const CUTTING: Readonly<Record<string, number>> = { Conv: 1, ConvInteger: 1, QLinearConv: 3 };

/** Operators that give numbers another number format. */
const REFORMATTING = /^(Quantize|Dequantize|DynamicQuantize)Linear$/;

/** The value that a chain of views and quantisers begins with. */
function behindQuantisers(graph: ForeignGraph, name: string): string {
  let current = behindViews(graph, name);
  for (;;) {
    const node = graph.producers.get(current);
    if (node === undefined || !REFORMATTING.test(node.opType)) return current;
    current = behindViews(graph, node.inputs[0] ?? '');
  }
}

/**
 * Channels and sides of the images, by the convolution that cuts them into patches and the positions that there are, quantised or not.
 *
 * @param told - sides that the input says
 */
function shapeOfPatches(
  graph: ForeignGraph,
  input: string,
  told: Partial<Size>,
): { readonly channels: number; readonly size: Size } | undefined {
  const { model, constants } = graph;
  const dimsOf = (name: string | undefined): readonly number[] =>
    constants.get(behindQuantisers(graph, name ?? ''))?.dims ?? [];
  const convolution = model.nodes.find(
    ({ opType, inputs }) =>
      Object.hasOwn(CUTTING, opType) && behindQuantisers(graph, inputs[0] ?? '') === input,
  );
  const kernel = dimsOf(convolution?.inputs[CUTTING[convolution.opType] ?? 0]);
  if (kernel.length !== 4) return undefined;
  const [width, channels, ...patchSides] = kernel as [number, number, number, number];
  const patch: Size = { height: patchSides[0], width: patchSides[1] };
  const counts = [...constants.values()].flatMap(({ dims }) => {
    const [one, positions = 0, size] = dims;
    return dims.length === 3 && one === 1 && size === width && positions > 2 ? [positions] : [];
  });
  const distances: Size[] = [];
  for (const { opType, inputs } of model.nodes) {
    const dims = dimsOf(inputs[0]);
    // CLIP and SigLIP look theirs up in a table.
    const [positions = 0, size, down = 0, across = 0] = dims;
    if (opType === 'Gather' && size === width && dims.length === 2 && positions > 2) counts.push(positions);
    // open_clip adds a table of two dimensions, where biases have one.
    for (const [added = 0, ofEach, ...more] of opType === 'Add' ? inputs.map(dimsOf) : [])
      if (ofEach === width && more.length === 0 && added > 2) counts.push(added);
    // BEiT has a number for each distance of two patches, which it resizes.
    if (opType === 'Resize' && dims.length === 4)
      distances.push({ height: (down + 1) / 2, width: (across + 1) / 2 });
  }
  const count = Math.max(...counts);
  // The class token, that and the distillation token, or none of them has a position.
  const grids = [count - 1, count - 2, count].map((patches) => {
    const down = told.height === undefined ? undefined : told.height / patch.height;
    const across = told.width === undefined ? undefined : told.width / patch.width;
    if (down !== undefined) return { height: down, width: patches / down };
    return across === undefined ? square(Math.sqrt(patches)) : { height: patches / across, width: across };
  });
  const grid = [...grids, ...distances].find((each) => isWhole(each));
  if (grid === undefined) return undefined;
  return { channels, size: { height: grid.height * patch.height, width: grid.width * patch.width } };
}
