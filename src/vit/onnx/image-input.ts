import { InputError } from '../../base/errors.js';
import type { SymbolicDim } from '../../onnx/model.js';
import type { ForeignGraph } from './graph.js';

/** The images that a graph takes. */
export interface ImageInput {
  readonly name: string;
  /** `[images, channels, size, size]`; two images where any number goes. */
  readonly dims: readonly number[];
}

/** Sides beyond this are refused before anything is made of them. */
const MAX_SIDE = 4096;

/**
 * Finds the input of a graph. Where its axes are free, as Optimum writes them, channels and size are those that the first convolution and
 * the positions are for.
 *
 * @param graph - the graph
 * @throws InputError when there is not one input of square float32 images
 */
export function imageInput(graph: ForeignGraph): ImageInput {
  const inputs = graph.model.inputs.filter(({ name }) => !graph.constants.has(name));
  const [input, another] = inputs;
  const refuse = (expected: string): InputError =>
    new InputError({
      source: graph.path,
      place: 'inputs',
      found:
        inputs.map((each) => `${each.name}: ${each.dtype} [${each.dims.join(', ')}]`).join('; ') || 'none',
      expected,
      hint: 'Export it for float32 images of a fixed size, with no dynamic axis but the batch.',
    });
  if (input?.dtype !== 'float32' || another !== undefined || input.dims.length !== 4)
    throw refuse('one float32 input [batch, channels, size, size]');
  const [images, ...rest] = input.dims;
  const known = rest.every((dim) => typeof dim === 'number') ? undefined : shapeOfPatches(graph, input.name);
  const [channels, height, width] = rest.map((dim, axis) =>
    numberOr(dim, axis === 0 ? known?.channels : known?.size),
  );
  const fits = channels !== undefined && height !== undefined && height === width;
  if (!fits || channels < 1 || height < 1 || height > MAX_SIDE)
    throw refuse(
      'one float32 input [batch, channels, size, size] of a square size that it or the positions tell',
    );
  return { name: input.name, dims: [numberOr(images, undefined) ?? 2, channels, height, height] };
}

function numberOr(dim: SymbolicDim | undefined, otherwise: number | undefined): number | undefined {
  return typeof dim === 'number' ? dim : otherwise;
}

/** Channels and size of the images, by the convolution that cuts them into patches and the positions that there are. */
function shapeOfPatches(
  { model, constants }: ForeignGraph,
  input: string,
): { readonly channels: number; readonly size: number } | undefined {
  const convolution = model.nodes.find(({ opType, inputs }) => opType === 'Conv' && inputs[0] === input);
  const kernel = constants.get(convolution?.inputs[1] ?? '')?.dims;
  if (kernel?.length !== 4) return undefined;
  const [width, channels, patch] = kernel as [number, number, number];
  const counts = [...constants.values()].flatMap(({ dims }) => {
    const [one, positions = 0, size] = dims;
    return dims.length === 3 && one === 1 && size === width && positions > 2 ? [positions] : [];
  });
  if (counts.length === 0) return undefined;
  const count = Math.max(...counts);
  // The class token, that and the distillation token, or none of them has a position.
  const patches = [count - 1, count - 2, count].find((each) => Number.isInteger(Math.sqrt(each)));
  return patches === undefined ? undefined : { channels, size: Math.sqrt(patches) * patch };
}
