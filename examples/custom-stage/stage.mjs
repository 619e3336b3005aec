/**
 * A plug-in with one stage: `bfloat16` rounds the weights of every linear layer, patches' and classes' too, to bfloat16 (8 bits of exponent, 7 of mantissa). The
 * model stays one of float32; what is seen is how much accuracy that format alone would cost.
 *
 * @param {import('edgeflex').PluginApi} edgeflex
 */
export default function bfloat16Plugin({
  defineStage,
  registerStage,
  stageFacts,
  weightOf,
  withWeights,
  float32,
  z,
}) {
  registerStage(
    defineStage({
      name: 'bfloat16',
      version: 1,
      description: 'Rounds the weights of linear layers to bfloat16.',
      options: z.strictObject({
        skip: z.array(z.string()).default([]).describe('Layers that are left alone: parts of their names.'),
      }),
      report: z.object({ layers: z.number(), largestError: z.number() }),
      // Next to nothing beside what other stages calculate.
      effort: () => 0,
      // No tensor changes its shape.
      shape: (vit) => vit,
      async apply(vit, context, { skip }) {
        const names = [...vit.weights.keys()].filter(
          (name) =>
            name.endsWith('.weight') &&
            weightOf(vit, name).dims.length === 2 &&
            !skip.some((part) => name.includes(part)),
        );
        const replaced = [];
        let largestError = 0;
        for (const [index, name] of names.entries()) {
          context.throwIfStopped();
          context.onProgress(index / names.length, name);
          const { dims } = weightOf(vit, name);
          const { values, error } = rounded(await weightOf(vit, name).read());
          largestError = Math.max(largestError, error);
          replaced.push([name, float32(dims, values)]);
        }
        return { vit: withWeights(vit, replaced), report: { layers: names.length, largestError } };
      },
      summarise: ({ layers, largestError }) =>
        stageFacts({
          headline: [
            { label: 'layers rounded', value: layers, unit: 'count' },
            { label: 'largest error of a weight', value: largestError, unit: 'share' },
          ],
        }),
    }),
  );
}

/**
 * Rounds floats to the nearest bfloat16, ties to even: the upper half of the 32 bits.
 *
 * @param {Uint8Array} bytes - of float32 values
 */
function rounded(bytes) {
  const exact = new Float32Array(bytes.slice().buffer);
  const values = exact.slice();
  const bits = new Uint32Array(values.buffer);
  for (let at = 0; at < bits.length; at++) {
    const odd = (bits[at] >>> 16) & 1;
    bits[at] = (bits[at] + 0x7fff + odd) & 0xffff0000;
  }
  let error = 0;
  for (let at = 0; at < values.length; at++)
    if (exact[at] !== 0) error = Math.max(error, Math.abs(values[at] / exact[at] - 1));
  return { values, error };
}
