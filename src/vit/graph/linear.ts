import type { GraphBuilder, Value } from '../../onnx/builder.js';
import {
  binary,
  dequantizeLinear,
  dynamicQuantizeMatMul,
  gemm,
  matMulIntegerToFloat,
  matMulNBits,
  quantizeLinear,
} from '../../onnx/ops.js';
import { float32, scalar, tensorOf, viewAs, type TensorSource } from '../../onnx/tensor.js';
import { linearName, linearWidths, type LinearForm, type LinearRole } from '../linears.js';
import { formOf, weightOf, type ViT } from '../vit.js';
import { floatConstant, matrixConstant } from './constants.js';

/** A value in uint8 and the two constants that say what its integers mean. */
interface Quantized {
  readonly value: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** Quantised values that were emitted before, so that q, k and v share one. */
export type QuantizedValues = Map<string, Quantized>;

/**
 * Adds one linear of a block, `y = x · Wᵀ + b`, in the form the model gives it.
 *
 * @param g - the graph
 * @param vit - the model
 * @param layer - the block
 * @param role - which of its linears
 * @param x - `[rows, inputs]`, float32
 * @param known - quantised values emitted so far; it is added to
 * @returns `[rows, outputs]`, float32
 */
export function emitLinear(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  role: LinearRole,
  x: Value,
  known: QuantizedValues,
): Value {
  const name = linearName(layer, role);
  const form = formOf(vit, name);
  const bias = (): Value => floatConstant(g, vit, `${name}.bias`);
  const [inputs, outputs] = linearWidths(vit.config, layer, role);
  switch (form.kind) {
    case 'float':
      return gemm(g, name, x, matrixConstant(g, vit, `${name}.weight`), bias());
    case 'int8': {
      const a = quantized(g, name, x, form, known);
      const b = matrixConstant(g, vit, `${name}.weight`);
      const scale = g.constant(`${name}.weight_scales`, float32([outputs], form.weightScales));
      return matMulIntegerToFloat(g, name, a.value, b, { a: a.scale, b: scale }, a.zeroPoint, bias());
    }
    case 'qdq': {
      const { value, scale, zeroPoint } = quantized(g, name, x, form, known);
      const { weightScales, inputScale } = form;
      const biasScales = weightScales.map((weightScale) => Math.fround(inputScale * weightScale));
      const integers = g.constant(`${name}.bias_int32`, asInt32(weightOf(vit, `${name}.bias`), biasScales));
      const a = dequantizeLinear(g, `${name}.input_float`, value, scale, zeroPoint);
      const weightScale = g.constant(`${name}.weight_scales`, float32([outputs], weightScales));
      const zeros = g.constant(
        `${name}.weight_zero_points`,
        tensorOf('int8', [outputs], new Int8Array(outputs)),
      );
      const weight = matrixConstant(g, vit, `${name}.weight`);
      const b = dequantizeLinear(g, `${name}.weight_float`, weight, weightScale, zeros);
      const biasScale = g.constant(`${name}.bias_scales`, float32([outputs], biasScales));
      return gemm(g, name, a, b, dequantizeLinear(g, `${name}.bias_float`, integers, biasScale));
    }
    case 'dynamic': {
      const b = matrixConstant(g, vit, `${name}.weight`);
      const scale = g.constant(`${name}.weight_scales`, float32([outputs], form.weightScales));
      return dynamicQuantizeMatMul(g, name, x, b, scale, bias());
    }
    case 'blockwise': {
      const { bits, blockSize, inputDivisors } = form;
      const read = inputDivisors ? divided(g, name, x, inputDivisors) : x;
      const b = g.constant(`${name}.weight`, weightOf(vit, `${name}.weight`));
      const blocks = Math.ceil(inputs / blockSize);
      const scales = g.constant(`${name}.weight_scales`, float32([outputs, blocks], form.scales));
      return matMulNBits(g, name, read, b, scales, bias(), { k: inputs, n: outputs, bits, blockSize });
    }
  }
}

function quantized(
  g: GraphBuilder,
  linear: string,
  x: Value,
  { inputScale, inputZeroPoint, inputDivisors }: Extract<LinearForm, { kind: 'int8' | 'qdq' }>,
  known: QuantizedValues,
): Quantized {
  const read = inputDivisors ? divided(g, linear, x, inputDivisors) : x;
  const key = `${read.name} ${inputScale} ${inputZeroPoint}`;
  const present = known.get(key);
  if (present) return present;
  const s = g.constant(`${linear}.input_scale`, scalar(inputScale));
  const z = g.constant(`${linear}.input_zero_point`, tensorOf('uint8', [], Uint8Array.of(inputZeroPoint)));
  const made = { value: quantizeLinear(g, `${linear}.input_u8`, read, s, z), scale: s, zeroPoint: z };
  known.set(key, made);
  return made;
}

/** A value with each channel divided by its number: multiplied by the reciprocal, which takes a fraction of the time. */
function divided(g: GraphBuilder, linear: string, x: Value, divisors: Float32Array): Value {
  const factors = float32(
    [divisors.length],
    divisors.map((divisor) => 1 / divisor),
  );
  return binary(g, 'Mul', `${linear}.input_divided`, x, g.constant(`${linear}.input_factors`, factors));
}

/** A float32 vector in multiples of its scales, as an integer product adds it before it is scaled. */
function asInt32(tensor: TensorSource, scales: Float32Array): TensorSource {
  return {
    dtype: 'int32',
    dims: tensor.dims,
    read: async () => {
      const values = viewAs(await tensor.read(), Float32Array);
      return new Uint8Array(Int32Array.from(values, (value, o) => Math.round(value / scales[o]!)).buffer);
    },
  };
}
