import { imageBytes, recordBytes } from '../../data/dataset.js';
import type { Memory } from '../../protocol/events.js';
import { processesSchema, type BrowserProcesses, type PageRequest } from '../../protocol/page.js';
import type { AccuracyTask } from '../../protocol/task.js';
import { webEngine } from '../../runtime/web.js';
import type { Host } from '../host.js';
import type { GpuWatch } from './gpu.js';
import type { WasmMemoryWatch } from './wasm-memory.js';

/** What watches the memory of the page. */
export interface Watches {
  readonly gpu: GpuWatch;
  readonly wasm: WasmMemoryWatch;
}

/** V8 compiles WebAssembly that runs often once more, which takes it a second or two; 0.55 s was seen to be too short. */
const WASM_WARMUP_MILLISECONDS = 2000;

/** Consecutive records of one file. */
interface Stretch {
  readonly path: string;
  readonly first: number;
  count: number;
}

/**
 * A page in a browser: files by URL from the harness, memory as the page can see it and, where the harness sees the browser's
 * processes, as the kernel accounts for these.
 *
 * @param request - what the page was told to do
 * @param watches - made before anything else
 */
export function pageHost(request: Extract<PageRequest, { kind: 'task' }>, { gpu, wasm }: Watches): Host {
  const { provider, powerPreference, task } = request;
  return {
    now: () => performance.now(),
    ...(provider === 'wasm' && { leastWarmup: WASM_WARMUP_MILLISECONDS }),
    loadEngine() {
      if (powerPreference !== undefined) gpu.prefer(powerPreference);
      const assets = new URL('runtime/', document.baseURI).href;
      return webEngine({ provider, assets, threads: task.session.threads });
    },
    memoryMeans: async () => (await browserProcesses()).means ?? undefined,
    async memory() {
      const heap = (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize;
      const { memory: processes } = await browserProcesses();
      // Before the runtime has made a memory there is none to tell of.
      const page: Memory = {
        ...(wasm.bytes > 0 && { wasmHeap: wasm.bytes }),
        ...(heap === undefined ? {} : { jsHeap: heap }),
      };
      if (provider === 'wasm') return { ...page, ...processes };
      return { ...page, gpuBuffers: gpu.bytes, peakGpuBuffers: gpu.peakBytes, ...processes };
    },
    resetPeak() {
      gpu.resetPeak();
    },
    collectGarbage: () => (globalThis as { gc?: () => void }).gc?.(),
    readImages,
    async writeInputs(path, values) {
      await asked(path, { method: 'POST', body: values as Float32Array<ArrayBuffer> });
    },
    readInputs: async (path) => new Float32Array(await (await asked(path)).arrayBuffer()),
    modelSource: (path) => new URL(path, document.baseURI).href,
    platform: `${navigator.platform} ${browserOf(navigator.userAgent)}`,
  };
}

/** What the harness sees of the browser's processes. */
async function browserProcesses(): Promise<BrowserProcesses> {
  return processesSchema.parse(await (await asked('processes')).json());
}

/** Something of the harness's server. */
async function asked(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`the harness answered ${response.status} for ${path}`);
  return response;
}

/** By ranges: of a large file only the records that are asked for. */
async function readImages(images: AccuracyTask['images'], indices: readonly number[]): Promise<Uint8Array> {
  const { labelBytes } = images.layout;
  const [size, step] = [imageBytes(images.layout), recordBytes(images.layout)];
  const pixels = new Uint8Array(indices.length * size);
  let slot = 0;
  for (const { path, first, count } of stretches(images, indices)) {
    const range = `bytes=${first * step}-${(first + count) * step - 1}`;
    const bytes = new Uint8Array(await (await asked(path, { headers: { range } })).arrayBuffer());
    // Black rows instead of an image would be measured without anyone noticing.
    if (bytes.length !== count * step)
      throw new Error(`${path}: ${bytes.length} bytes where ${count} records lie`);
    for (let record = 0; record < count; record++) {
      const at = record * step + labelBytes;
      pixels.set(bytes.subarray(at, at + size), slot * size);
      slot += 1;
    }
  }
  return pixels;
}

function stretches({ files }: AccuracyTask['images'], indices: readonly number[]): Stretch[] {
  const found: Stretch[] = [];
  for (const index of indices) {
    let record = index;
    const path = files.find(({ records }) => {
      if (record < records) return true;
      record -= records;
      return false;
    })?.path;
    if (path === undefined) throw new RangeError(`there is no image ${index}`);
    const last = found.at(-1);
    if (last?.path === path && last.first + last.count === record) last.count += 1;
    else found.push({ path, first: record, count: 1 });
  }
  return found;
}

function browserOf(userAgent: string): string {
  const [, name = 'browser', version = ''] = /(Edg|Firefox|Chrome|Version)\/([\d.]+)/.exec(userAgent) ?? [];
  return `${name} ${version}`.trim();
}
