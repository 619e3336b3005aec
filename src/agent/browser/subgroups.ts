/** Fewer lanes than this and ONNX Runtime's attention goes wrong. */
const FEWEST_LANES = 8;

/** What `GPUAdapterInfo` has that TypeScript's library does not know yet. */
interface SubgroupInfo {
  readonly subgroupMinSize?: number;
}

/**
 * Hides subgroups from this page where they are narrow. From 32 tokens on, ONNX Runtime's WebGPU provider (1.30) exchanges keys
 * between the lanes of a subgroup as if there were eight at least, and its attention is wrong by tens of percent where there
 * are four, as SwiftShader has; without the feature it goes through workgroup memory, and is right.
 *
 * Must be called before the runtime asks for an adapter.
 */
export function hideNarrowSubgroups(): void {
  const features = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'features');
  if (features?.get === undefined)
    throw new Error('this browser reports the features of its adapters in an unknown way');
  Object.defineProperty(GPUAdapter.prototype, 'features', {
    get(this: GPUAdapter): ReadonlySet<string> {
      const all = features.get?.call(this) as ReadonlySet<string>;
      const { subgroupMinSize = Infinity } = this.info as SubgroupInfo;
      if (subgroupMinSize >= FEWEST_LANES) return all;
      return new Set([...all].filter((name) => !name.includes('subgroup')));
    },
  });
}
