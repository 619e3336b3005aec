/**
 * What a graph is written for: the operators that a kind of device has kernels for, and is fast with.
 *
 * `cpu`: ONNX Runtime's CPU provider, in a process or compiled to WebAssembly. `webgpu`: its WebGPU provider.
 * `webgpu-f16`: the same on an adapter that computes in float16 (`shader-f16`).
 */
export const graphTargets = ['cpu', 'webgpu', 'webgpu-f16'] as const;

/** What a graph is written for. */
export type GraphTarget = (typeof graphTargets)[number];
