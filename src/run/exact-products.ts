import type { Device } from '../device/device.js';
import type { Task } from '../protocol/task.js';
import type { ArtifactFacts } from './artifacts/artifact.js';

/** Kernels whose inputs are 8-bit integers: a form without them computes something else. */
export const INTEGER_INPUTS = ['MatMulIntegerToFloat', 'QGemm', 'DynamicQuantizeMatMul'] as const;

/**
 * Whether INT8 products of an artifact may saturate on x86-64 processors without VNNI: it has such products, and not every stage that
 * quantised linears saw to it that their sums fit into 16 bits. A recipe may have several, each for some of the linears.
 *
 * @param artifact - its kernels, its stages, and what is known of a file that is run as it is
 */
export function maySaturate({
  kernels,
  stages,
  raw,
}: Pick<ArtifactFacts, 'kernels' | 'stages' | 'raw'>): boolean {
  if (raw !== undefined) return raw.integer;
  if (!INTEGER_INPUTS.some((opType) => (kernels[opType] ?? 0) > 0)) return false;
  const quantisers = stages.filter(({ stage }) => stage === 'quantize');
  const exact = quantisers.every(({ facts }) => facts.traits.includes('exact-without-vnni'));
  return quantisers.length === 0 || !exact;
}

/**
 * The session options of an artifact on a device: the device's, but that what keeps INT8 products from saturating, and makes them slower,
 * is left out where they never saturate and the device's profile does not ask for it.
 *
 * @param device - its options, and those that its profile names
 * @param artifact - what is to run
 */
export function sessionOf(
  { session, profile }: Pick<Device, 'session' | 'profile'>,
  artifact: Pick<ArtifactFacts, 'kernels' | 'stages' | 'raw'>,
): Task['session'] {
  if (profile.session.x64QuantPrecision !== undefined || maySaturate(artifact)) return session;
  return { ...session, x64QuantPrecision: undefined };
}

/**
 * The session options with which an artifact's INT8 products are exact on the processor of this process, whichever it is.
 *
 * @param artifact - what is to run
 * @returns `x64QuantPrecision`, which makes them slower, where they might saturate, else nothing
 */
export function exactHere(
  artifact: Pick<ArtifactFacts, 'kernels' | 'stages' | 'raw'>,
): Pick<Task['session'], 'x64QuantPrecision'> {
  return maySaturate(artifact) ? { x64QuantPrecision: true } : {};
}
