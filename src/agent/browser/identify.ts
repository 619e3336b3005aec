import type { Gpu } from '../../protocol/environment.js';
import type { PageIdentity } from '../../protocol/page.js';

/** Where this page runs, and the adapter that WebGPU gives it. */
export async function identify(powerPreference: string | undefined): Promise<PageIdentity> {
  const { deviceMemory = 0 } = navigator as { deviceMemory?: number };
  return {
    event: 'identified',
    userAgent: navigator.userAgent,
    processors: navigator.hardwareConcurrency,
    memoryBytes: deviceMemory * 1024 ** 3,
    isolated: globalThis.crossOriginIsolated,
    gpu: await adapterOf(powerPreference),
  };
}

/** Drivers that play a GPU on the processor, by the names they give themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i;

async function adapterOf(powerPreference: string | undefined): Promise<Gpu | null> {
  if (!('gpu' in navigator)) return null;
  const options =
    powerPreference === undefined ? {} : { powerPreference: powerPreference as GPUPowerPreference };
  const adapter = await navigator.gpu.requestAdapter(options);
  if (adapter === null) return null;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  return {
    ...{ vendor, architecture, device, description },
    software: isFallbackAdapter || SOFTWARE.test([vendor, architecture, device, description].join(' ')),
    features: [...adapter.features].sort(),
    limits: limitsOf(adapter.limits),
  };
}

/** The limits are getters of the prototype, which no spread sees. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name in limits) {
    const value = (limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') found[name] = value;
  }
  return found;
}
