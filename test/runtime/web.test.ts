import { describe, expect, it } from 'vitest';
import { cpuOperators, kernelCalls } from '../../src/runtime/web.js';

/** Lines as ONNX Runtime 1.30 printed them in a page. */
const node = (name: string, op: string, provider: string, dur: number): object => ({
  ...{ cat: 'Node', pid: 42, tid: 1, dur, ts: 1, ph: 'X', name: `${name}_kernel_time` },
  args: { op_name: op, provider, thread_scheduling_stats: '' },
});
const program = (name: string, dur: number): object => ({
  ...{ cat: 'Api', pid: -1, tid: -1, dur, ts: 1, ph: 'X', name },
  args: { shapes: 'inputs[0] = {32}', cache_key: 'Gemm' },
});
const session = { cat: 'Session', pid: 42, tid: 1, dur: 9, ts: 1, ph: 'X', name: 'model_run', args: {} };

describe('a profile that was printed in a page', () => {
  it('gives each node the processor’s time and the GPU’s', () => {
    const gpu = 'WebGpuExecutionProvider';
    const events = [
      session,
      node('q', 'Gemm', gpu, 100),
      node('q:sequence', 'Reshape', gpu, 10),
      node('q', 'Gemm', gpu, 50),
      program('q&Gemm&Gemm', 3000),
      program('q&Gemm&GemmSplitK', 1000),
      program('q&Gemm&Gemm', 2000),
    ];
    expect(kernelCalls(JSON.stringify(events))).toEqual([
      { node: 'q', opType: 'Gemm', provider: gpu, milliseconds: 0.1, gpuMilliseconds: 3 },
      { node: 'q:sequence', opType: 'Reshape', provider: gpu, milliseconds: 0.01, gpuMilliseconds: 0 },
      { node: 'q', opType: 'Gemm', provider: gpu, milliseconds: 0.05, gpuMilliseconds: 3 },
    ]);
  });

  it('tells no GPU time where the GPU has no clock', () => {
    const events = [session, node('q', 'Gemm', 'CPUExecutionProvider', 100)];
    expect(kernelCalls(JSON.stringify(events))).toEqual([
      { node: 'q', opType: 'Gemm', provider: 'CPUExecutionProvider', milliseconds: 0.1 },
    ]);
  });

  it('is refused when it is none', () => {
    expect(() => kernelCalls('[')).toThrow();
    expect(() => kernelCalls('{}')).toThrow();
  });
});

describe('the placement that a session prints', () => {
  it('names the operators that went to the CPU, once each and without copies', () => {
    const at =
      '2026-11-24 22:11:44.313775 [V:onnxruntime:, session_state.cc:1385 VerifyEachNodeIsAssignedToAnEp] ';
    const lines = [
      `${at}Node placements`,
      `${at} Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3`,
      `${at}  QuantizeLinear (layers.0.q.input_u8)`,
      `${at}  MatMulIntegerToFloat (layers.0.q)`,
      `${at}  MatMulIntegerToFloat (layers.0.k)`,
      `${at}  MemcpyToHost (Memcpy)`,
      `${at} Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 1`,
      `${at}  Gemm (patch)`,
    ];
    expect(cpuOperators(lines)).toEqual(['MatMulIntegerToFloat', 'QuantizeLinear']);
    expect(cpuOperators([])).toEqual([]);
  });
});
