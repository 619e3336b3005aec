import type { InferenceSession } from 'onnxruntime-common';
import type { SessionOptions } from './engine.js';

/**
 * What ONNX Runtime is told of a session wherever it runs, so that devices differ in nothing but themselves.
 *
 * @param options - how the session is opened
 */
export function commonOptions(options: SessionOptions): InferenceSession.SessionOptions {
  return {
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    enableMemPattern: options.memoryPattern,
    enableCpuMemArena: options.arena,
    logSeverityLevel: 3,
    ...(options.freeDimensions && { freeDimensionOverrides: options.freeDimensions }),
  };
}
