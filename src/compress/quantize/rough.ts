import type { TensorSource } from '../../onnx/tensor.js';
import { linearNames, type LinearForm, type LinearName } from '../../vit/linears.js';
import { formOf, weightOf, withWeights, type ViT } from '../../vit/vit.js';
import { floatsOf } from '../weights.js';
import { int8Grid, toNearest, UNBOUND_COVER, type Grid } from './rounding.js';

/**
 * A model whose linears are INT8, each weight rounded to the nearest of seven bits, which all kernels multiply exactly, and each input in
 * the range that it has in its batch: nothing is calibrated and nothing searched. It takes a third of the time, and tells which images the
 * model itself is sure of.
 *
 * @param vit - the model; linears that are not float stay as they are
 */
export async function roughly(vit: ViT): Promise<ViT> {
  const weights: [string, TensorSource][] = [];
  const forms: [LinearName, LinearForm][] = [];
  for (const linear of linearNames(vit.config)) {
    if (formOf(vit, linear).kind !== 'float') continue;
    const name = `${linear}.weight`;
    const { dims } = weightOf(vit, name);
    const [outputs = 0, inputs = 0] = dims;
    const gridOf = (weight: Float32Array): Grid =>
      int8Grid(weight, inputs, true, new Float32Array(outputs).fill(UNBOUND_COVER));
    const { scales } = gridOf(await floatsOf(vit, name));
    forms.push([linear, { kind: 'dynamic', weightScales: scales }]);
    // Rounded when they are read: of a large model they are not all in memory at once.
    const read = async (): Promise<Uint8Array> => {
      const weight = await floatsOf(vit, name);
      return new Uint8Array(toNearest(weight, inputs, gridOf(weight)).buffer);
    };
    weights.push([name, { dtype: 'int8', dims, read }]);
  }
  return withWeights(vit, weights, forms);
}
