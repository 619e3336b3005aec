import { float32, viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { linearNames, type LinearName } from '../../src/vit/linears.js';
import { formOf, weightOf, weightShapes, withWeights, type ViT } from '../../src/vit/vit.js';

/** The weights that a quantised linear's integers stand for, by the definitions of the operators: `[outputs, inputs]`. */
async function meantBy(vit: ViT, name: LinearName): Promise<TensorSource> {
  const form = formOf(vit, name);
  const bytes = await weightOf(vit, `${name}.weight`).read();
  const dims = weightShapes(vit.config).get(`${name}.weight`)!;
  const [outputs, inputs] = dims as [number, number];
  const values = Float32Array.from({ length: inputs * outputs }, (_, index) => {
    const [o, i] = [Math.floor(index / inputs), index % inputs];
    if ('weightScales' in form) {
      const divisor = 'inputDivisors' in form ? (form.inputDivisors?.[i] ?? 1) : 1;
      return (viewAs(bytes, Int8Array)[index]! * form.weightScales[o]!) / divisor;
    }
    if (form.kind === 'float') throw new Error(`${name} is float`);
    const { bits, blockSize, scales } = form;
    const block = o * Math.ceil(inputs / blockSize) + Math.floor(i / blockSize);
    const bit = (block * blockSize + (i % blockSize)) * bits;
    const q = (bytes[bit >> 3]! >> (bit & 7)) & (2 ** bits - 1);
    return (q - 2 ** (bits - 1)) * scales[block]!;
  });
  return float32(dims, values);
}

/**
 * What an embedding of bytes stands for, over normalised pixels: y = Σ s·w·p + b with p = x / step + zero for each byte p of a channel.
 */
async function patchesMeantBy(vit: ViT): Promise<[string, TensorSource][]> {
  const { channels, patchSize } = vit.config;
  const { steps, zeros, weightScales } = vit.bytePatches!;
  const integers = viewAs(await weightOf(vit, 'patch.weight').read(), Int8Array);
  const bias = viewAs(await weightOf(vit, 'patch.bias').read(), Float32Array).slice();
  const pixels = patchSize.height * patchSize.width;
  const weight = new Float32Array(integers.length);
  let at = 0;
  for (const [output, scale] of weightScales.entries())
    for (let channel = 0; channel < channels; channel++)
      for (let pixel = 0; pixel < pixels; pixel++, at++) {
        weight[at] = (integers[at]! * scale) / steps[channel]!;
        bias[output]! += integers[at]! * scale * zeros[channel]!;
      }
  return [
    ['patch.weight', float32([bias.length, channels * pixels], weight)],
    ['patch.bias', float32([bias.length], bias)],
  ];
}

/** A quantised model with its linears float again, by the weights that their integers stand for. */
export async function dequantized(model: ViT): Promise<ViT> {
  const patches = model.bytePatches ? await patchesMeantBy(model) : [];
  const vit: ViT = { ...withWeights(model, patches), bytePatches: undefined };
  const names = linearNames(vit.config).filter((name) => formOf(vit, name).kind !== 'float');
  const weights = await Promise.all(
    names.map(async (name) => [`${name}.weight`, await meantBy(vit, name)] as const),
  );
  return withWeights(
    vit,
    weights,
    names.map((name) => [name, { kind: 'float' }]),
  );
}
