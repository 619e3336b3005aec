import { mergeTokensOptionsSchema } from '../src/compress/merge-tokens/options.js';
import { plannedModel, withWidths } from '../src/compress/planned.js';
import { quantizeOptionsSchema } from '../src/compress/quantize/options.js';
import { openLocal } from '../src/device/local/device.js';
import { localProfile } from '../src/device/profile.js';
import { peakProbe } from '../src/run/peak-probe.js';
import { syntheticViT } from '../src/vit/synthetic.js';
import type { ViT } from '../src/vit/vit.js';

const BATCH = 8;
const MIB = 2 ** 20;

/** A lever: what is changed, and nothing else. */
interface Lever {
  readonly name: string;
  readonly microBatch?: number;
  readonly session?: { readonly arena?: boolean; readonly memoryPattern?: boolean };
  readonly change?: (vit: ViT) => ViT;
}

const levers: readonly Lever[] = [
  { name: 'nothing' },
  ...[4, 2, 1].map((microBatch) => ({ name: `micro-batches of ${microBatch}`, microBatch })),
  { name: 'no arena', session: { arena: false } },
  { name: 'memory pattern', session: { memoryPattern: true } },
  { name: 'half of the MLP neurons', change: halved },
  { name: '16 tokens merged in each block', change: merged },
  { name: 'half the neurons, tokens, batches of 2', microBatch: 2, change: (vit) => merged(halved(vit)) },
];

/**
 * Peak memory of a ViT-Base at 224 pixels and batch 8 over the runtime's base, in a process of its own each time: what every
 * lever gives alone, in float32 and in INT8. Weights of the shape that compression makes stand in for the real ones.
 */
export async function memoryLevers(): Promise<void> {
  const float = syntheticViT('vit-base', 1, 224, ['a', 'b']);
  for (const [form, quantized] of [
    ['float32', (vit: ViT) => vit],
    ['int8', int8],
  ] as const) {
    let plain: number | undefined;
    for (const { name, microBatch, session, change = (vit: ViT) => vit } of levers) {
      const device = await openLocal(localProfile({ name: 'here', threads: 2, ...(session && { session }) }));
      const measure = peakProbe(device, microBatch, new AbortController().signal);
      const peak = await measure(quantized(change(float)), BATCH);
      await device.close();
      plain ??= peak;
      const share = `${((100 * (peak - plain)) / plain).toFixed(0)} %`;
      console.log(
        `  ${form.padEnd(8)} ${name.padEnd(40)} ${(peak / MIB).toFixed(1).padStart(7)} MiB ${share.padStart(6)}`,
      );
    }
  }
}

function int8(vit: ViT): ViT {
  return plannedModel(vit, [{ stage: 'quantize', options: quantizeOptionsSchema.parse({ format: 'w8a8' }) }]);
}

function halved(vit: ViT): ViT {
  return withWidths(
    vit,
    vit.config.mlpSizes.map((width) => width / 2),
  );
}

function merged(vit: ViT): ViT {
  return plannedModel(vit, [{ stage: 'merge-tokens', options: mergeTokensOptionsSchema.parse({ r: 16 }) }]);
}
