import type { InferenceSession } from 'onnxruntime-common';
import { z } from 'zod';
import { commonOptions } from './common-options.js';
import {
  defaultSessionOptions,
  UnsupportedModel,
  type Engine,
  type KernelCall,
  type ModelSource,
  type ProfiledSession,
  type Session,
  type SessionOptions,
} from './engine.js';
import { identityModel } from './identity.js';
import { inputTypeOf } from './input-type.js';
import { openingError } from './unsupported.js';

/** How ONNX Runtime is started in a page. */
export interface WebEngineOptions {
  readonly provider: 'webgpu' | 'wasm';
  /** Where the runtime's own files lie, as a URL that ends with a slash. */
  readonly assets: string;
  /** Threads of the runtime's pool; the page must be cross-origin isolated for more than one. */
  readonly threads: number;
}

/** How the runtime says that nodes would have to run on the processor, which the session's options forbid. */
const NO_FALLBACK = /disabled by the user/;

/** The file beside a model that holds its weights ends so; small models have none. */
const DATA_SUFFIX = '.data';

/**
 * ONNX Runtime in this page: on WebGPU, where no node may go elsewhere, or compiled to WebAssembly.
 *
 * The library is loaded by this call and not before, so that a caller can watch the memory it takes from the first byte.
 *
 * @param options - provider, where the runtime's files lie, threads
 * @throws Error when there is no WebGPU adapter, or no isolation for the threads asked for
 */
export async function webEngine({ provider, assets, threads }: WebEngineOptions): Promise<Engine> {
  const printed = new Printed();
  const ort = await (provider === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'));
  ort.env.wasm.wasmPaths = assets;
  ort.env.wasm.numThreads = threads;

  const create = async (
    model: ModelSource,
    options: InferenceSession.SessionOptions,
  ): Promise<InferenceSession> => {
    if (typeof model !== 'string') return ort.InferenceSession.create(model, options);
    return ort.InferenceSession.create(model, { ...options, externalData: await externalData(model) });
  };

  const open = async (
    model: ModelSource,
    options: InferenceSession.SessionOptions,
  ): Promise<InferenceSession> => {
    try {
      return await create(model, options);
    } catch (error) {
      if (provider !== 'webgpu' || !NO_FALLBACK.test(String(error))) throw openingError(error);
      throw await withoutKernels(model, options);
    }
  };

  /** The operators of a model that WebGPU has no kernels for: of a session that may fall back, the nodes that do. */
  const withoutKernels = async (
    model: ModelSource,
    options: InferenceSession.SessionOptions,
  ): Promise<UnsupportedModel> => {
    const lines = await printed.during(async () => {
      const verbose = { ...options, extra: {}, enableProfiling: false, logSeverityLevel: 0 as const };
      await (await create(model, verbose)).release();
    });
    const operators = cpuOperators(lines);
    const named = operators.join(', ') || 'some of its operators';
    return new UnsupportedModel(`WebGPU has no kernels for ${named}`, operators);
  };

  const ortOptions = (
    options: SessionOptions,
    where: 'webgpu' | 'wasm',
  ): InferenceSession.SessionOptions => ({
    executionProviders: [where],
    ...commonOptions(options),
    extra: {
      session: {
        intra_op: { allow_spinning: options.spinning ? '1' : '0' },
        ...(where === 'webgpu' ? { disable_cpu_ep_fallback: '1' } : {}),
      },
    },
  });

  // The runtime destroys its GPU device with the last session, and makes no other: this one stays open.
  if (provider === 'webgpu')
    await create(identityModel(), ortOptions({ ...defaultSessionOptions, threads }, provider));

  return {
    info: {
      name: 'onnxruntime-web',
      version: ort.env.versions.web ?? ort.env.versions.common,
      provider: provider === 'webgpu' ? 'WebGpuExecutionProvider' : 'CPUExecutionProvider',
    },
    async open(model, options) {
      return sessionOf(await open(model, ortOptions(options, provider)));
    },
    async openOnProcessor(model, options) {
      return sessionOf(await create(model, ortOptions(options, 'wasm')));
    },
    async openProfiled(model, options) {
      const session = await open(model, { ...ortOptions(options, provider), enableProfiling: true });
      return profiled(session, printed);
    },
    tensor: (type, data, dims) => new ort.Tensor(type, data, dims),
  };
}

async function externalData(model: string): Promise<InferenceSession.SessionOptions['externalData']> {
  const data = `${model}${DATA_SUFFIX}`;
  const { ok } = await fetch(data, { method: 'HEAD' });
  return ok ? [{ path: data.slice(data.lastIndexOf('/') + 1), data }] : [];
}

function sessionOf(session: InferenceSession): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputType: inputTypeOf(session),
    run: (inputs, outputs) => (outputs === undefined ? session.run(inputs) : session.run(inputs, outputs)),
    close: () => session.release(),
  };
}

function profiled(session: InferenceSession, printed: Printed): ProfiledSession {
  return {
    ...sessionOf(session),
    async calls() {
      const lines = await printed.during(() => {
        session.endProfiling();
        return Promise.resolve();
      });
      return kernelCalls(lines.join('\n'));
    },
  };
}

const eventSchema = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    dur: z.number(),
    args: z.object({ op_name: z.string().optional(), provider: z.string().optional() }),
  }),
);

const KERNEL_SUFFIX = '_kernel_time';

/**
 * The kernel calls of a profile that ONNX Runtime wrote in a page. WebGPU's provider adds what the GPU's own clock said of
 * each program, as events of category `Api` that are called `node&operator&program`; where the adapter has no timestamps
 * there are none. The GPU's time of a node goes to the node's calls in equal parts.
 *
 * @param profile - the JSON
 */
export function kernelCalls(profile: string): KernelCall[] {
  const events = eventSchema.parse(JSON.parse(profile));
  const gpu = new Map<string, number>();
  for (const { cat, name, dur } of events) {
    if (cat !== 'Api') continue;
    const [node = name] = name.split('&');
    gpu.set(node, (gpu.get(node) ?? 0) + dur / 1000);
  }
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith(KERNEL_SUFFIX));
  const calls = new Map<string, number>();
  for (const { name } of nodes) calls.set(name, (calls.get(name) ?? 0) + 1);
  return nodes.map(({ name, dur, args }) => {
    const node = name.slice(0, -KERNEL_SUFFIX.length);
    return {
      node,
      opType: args.op_name ?? 'unknown',
      provider: args.provider ?? 'unknown',
      milliseconds: dur / 1000,
      // A node that only renames memory, such as a Reshape, runs no program.
      ...(gpu.size > 0 ? { gpuMilliseconds: (gpu.get(node) ?? 0) / (calls.get(name) ?? 1) } : {}),
    };
  });
}

/**
 * The operators that a session's log says were placed on the CPU, without the copies that this makes necessary.
 *
 * @param lines - the log at its most verbose
 */
export function cpuOperators(lines: readonly string[]): string[] {
  const operators = new Set<string>();
  let onCpu = false;
  for (const line of lines) {
    const placed = /Node\(s\) placed on \[(\w+)\]/.exec(line)?.[1];
    if (placed !== undefined) onCpu = placed === 'CPUExecutionProvider';
    const operator = /VerifyEachNodeIsAssignedToAnEp\] {3}(\w+) \(/.exec(line)?.[1];
    if (onCpu && operator !== undefined && !operator.startsWith('Memcpy')) operators.add(operator);
  }
  return [...operators].sort();
}

/** What the runtime prints: its profile and its log have no other way out of a page. */
class Printed {
  private lines: string[] | undefined;

  /** The runtime keeps the console's functions when it is loaded, so that this must be made before. */
  constructor() {
    for (const name of ['log', 'info', 'debug', 'warn', 'error'] as const) {
      const print = console[name].bind(console);
      console[name] = (...parts: unknown[]) => {
        if (this.lines) this.lines.push(parts.map(String).join(' '));
        else print(...parts);
      };
    }
  }

  /** What is printed while something goes on. */
  async during(act: () => Promise<void>): Promise<string[]> {
    const lines: string[] = [];
    this.lines = lines;
    try {
      await act();
    } finally {
      this.lines = undefined;
    }
    return lines;
  }
}
