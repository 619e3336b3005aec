import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { cifarLayout } from '../../src/data/dataset.js';
import { DeviceError, UnsupportedError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import type { Device } from '../../src/device/device.js';
import { pageSource } from '../../src/device/browser/launch.js';
import { PageServer } from '../../src/device/browser/server.js';
import type { BrowserProfile } from '../../src/device/browser/profile.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { writeModel } from '../../src/onnx/file.js';
import { gather, reshape } from '../../src/onnx/ops.js';
import { tensorOf } from '../../src/onnx/tensor.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import { peakGpuBuffers } from '../../src/protocol/peak.js';
import type { Task } from '../../src/protocol/task.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { loadFolder } from '../support/load.js';
import { smallViT } from '../compress/tome-reference.js';
import { describeInBrowser } from '../report/support/browser.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, shapesDirectory, writeMicro } from '../support/micro.js';
import { until } from '../support/processes.js';
import { longPass, openTestDevice, perform, taskBase, timing, type Performed } from '../support/tasks.js';
import { browserProcesses, browserProfile, openTestBrowser } from './support/browsers.js';

/** A timed pass that is over after two queries, slow ones as well. */
const twoQueries = { minQueries: 2, minSeconds: 0.01, maxSeconds: 60, maxWarmupSeconds: 0.01 };

// Browsers start slowly on a busy machine, and SwiftShader is slow everywhere.
vi.setConfig({ testTimeout: 180_000 });

const { vit } = await loadFolder(microDirectory);

const folder = useFolder();
let model: string;
let preprocess: string;
let inputs: string;

beforeEach(async () => {
  // Browsers' profiles and nothing else go here.
  await mkdir(folder('tmp'));
  vi.stubEnv('TMPDIR', folder('tmp'));
  ({ model, preprocess } = await writeMicro(folder()));
  inputs = folder('inputs.bin');
  await writeFile(inputs, new Uint8Array(3 * 32 * 32 * 4).fill(60));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  // Whatever a test did, no browser and no profile is left.
  await until('all browsers end', () => browserProcesses(folder('tmp')).length === 0);
  expect(readdirSync(folder('tmp'))).toEqual([]);
});

const images = { layout: cifarLayout, files: [{ path: join(shapesDirectory, 'test.bin'), records: 1000 }] };

/** Opens a browser for a test. */
async function opened(
  provider: 'wasm' | 'webgpu',
  changes: Partial<BrowserProfile> = {},
): Promise<{ device: Device; close: () => Promise<void> }> {
  const device = await openTestBrowser(provider, changes);
  return { device, close: () => device.close() };
}

/** Does tasks in one browser device, one after the other. */
async function performAll(
  provider: 'wasm' | 'webgpu',
  tasks: readonly Task[],
  changes: Partial<BrowserProfile> = {},
): Promise<{ device: Device; results: Performed[] }> {
  const { device, close } = await opened(provider, changes);
  try {
    const results: Performed[] = [];
    for (const task of tasks) results.push(await perform(device, task));
    return { device, results };
  } finally {
    await close();
  }
}

async function webGpuModel(): Promise<string> {
  const path = folder('webgpu.onnx');
  await writeModel(buildGraph(vit, {}, 'webgpu'), path);
  return path;
}

/** What a task ends with when something is done to its browser in the middle of it. */
async function disturbed(
  provider: 'wasm' | 'webgpu',
  act: () => void,
  changes: Partial<BrowserProfile> = {},
  watch: { silenceMilliseconds?: number; signal?: AbortSignal; at?: string } = {},
): Promise<unknown> {
  const { device, close } = await opened(provider, changes);
  const { at = 'first', ...how } = watch;
  let acted = false;
  const task = timing(provider === 'wasm' ? model : await webGpuModel(), inputs, 1, longPass);
  const onEvent = (event: AgentEvent): void => {
    if (event.event !== 'phase' || event.phase !== at || acted) return;
    acted = true;
    act();
  };
  try {
    return await perform(device, task, { ...how, onEvent }).then(
      () => new Error('the task was done'),
      (error: unknown) => error,
    );
  } finally {
    await close();
  }
}

const killAll = (type: string, signal: NodeJS.Signals = 'SIGKILL'): void => {
  for (const pid of browserProcesses(folder('tmp'), type)) process.kill(pid, signal);
};

describeInBrowser('a task in a page', () => {
  it('gives on WebAssembly what a process gives, and tells its memory by phase', async () => {
    const output = folder('prepared.bin');
    const indices = [3, 4, 5, 9];
    const accuracy: Task = {
      ...{ kind: 'accuracy', ...taskBase, model, preprocess, images, count: 6, batch: 4, microBatch: 2 },
    };
    const { device, results } = await performAll(
      'wasm',
      [
        { kind: 'prepare', ...taskBase, preprocess, images, indices, output },
        timing(model, output, 4, twoQueries),
        accuracy,
      ],
      { threads: 2 },
    );
    expect(device.target).toBe('cpu');
    expect(device.environment.browser?.product).toMatch(/^Chrome\//);
    expect(device.environment.gpu).toBeUndefined();
    const local = await openTestDevice();
    const reference = (await perform(local, accuracy)).measurement;
    const [, timed, scored] = results.map(({ measurement }) => measurement);
    expect(scored!.logits.map(({ first }) => first)).toEqual([0, 2, 4]);
    for (const [index, { values }] of scored!.logits.entries())
      for (const [at, value] of values.entries())
        expect(value).toBeCloseTo(reference.logits[index]!.values[at]!, 4);
    // Image 3 of the split is the first of the prepared batch, and the fourth that was scored.
    for (let c = 0; c < 10; c++)
      expect(timed!.logits[0]!.values[c]).toBeCloseTo(reference.logits[1]!.values[10 + c]!, 4);
    expect(timed!.latencies.length).toBeGreaterThanOrEqual(2);
    expect(timed!.conditions.filter(({ phase }) => phase === 'steady').length).toBeGreaterThan(0);
    const load = timed!.phases.find(({ phase }) => phase === 'load')!.memory;
    expect(load.wasmHeap).toBeGreaterThan(1e7);
    expect(load.jsHeap).toBeGreaterThan(1e5);
    expect(load.renderersPeakResident).toBeGreaterThan(1e7);
    expect(load.gpuBuffers).toBeUndefined();
  });

  it('gives on WebGPU what a process gives, with every kernel there, and counts its buffers', async () => {
    const path = await webGpuModel();
    const accuracy = {
      kind: 'accuracy',
      ...taskBase,
      preprocess,
      images,
      count: 2,
      batch: 2,
      microBatch: 2,
    } as const;
    const { device, results } = await performAll('webgpu', [
      timing(path, inputs, 1, twoQueries),
      {
        ...{ kind: 'memory', ...taskBase, model: path, inputs, batch: 1, microBatch: 1 },
        ...{ runs: 2, maxSeconds: 10 },
      },
      { kind: 'kernels', ...taskBase, model: path, inputs, batch: 1, microBatch: 1, runs: 2 },
      { ...accuracy, model: path },
    ]);
    expect(device.target).toBe('webgpu');
    expect(device.environment.gpu).toMatchObject({
      vendor: 'google',
      architecture: 'swiftshader',
      software: true,
    });
    expect(device.environment.gpu!.limits['maxBufferSize']).toBeGreaterThan(2 ** 27);
    const [timed, apart, listed, scored] = results.map(({ measurement }) => measurement);
    expect(apart!.phases.map(({ phase }) => phase)).toEqual([
      'runtime',
      'prepare',
      'load',
      'first',
      'steady',
    ]);
    expect([timed, apart].map((each) => each!.started!.memoryMeans)).toEqual([
      'renderers-of-phase',
      'renderers-liftoff-of-phase',
    ]);
    const buffers = [timed, apart].map((each) =>
      peakGpuBuffers(
        new Map(each!.phases.map(({ phase, memory }) => [phase, new Map(Object.entries(memory))])),
      ),
    );
    expect(buffers[0]).toBeGreaterThan(0);
    expect(buffers[1]).toBe(buffers[0]);
    expect(timed!.started!.runtime.provider).toBe('WebGpuExecutionProvider');
    const memory = new Map(timed!.phases.map((each) => [each.phase, each.memory]));
    const weights = 4 * vit.config.hiddenSize * vit.config.mlpSizes[0]! * 2 * 4;
    expect(memory.get('load')!.gpuBuffers! - memory.get('prepare')!.gpuBuffers!).toBeGreaterThan(weights);
    expect(memory.get('first')!.peakGpuBuffers).toBeGreaterThanOrEqual(memory.get('first')!.gpuBuffers!);
    expect(new Set(listed!.kernels.map(({ provider }) => provider))).toEqual(
      new Set(['WebGpuExecutionProvider']),
    );
    expect(listed!.kernels.find(({ opType }) => opType === 'Gemm')!.gpuMilliseconds).toBeGreaterThan(0);
    const reference = (await perform(await openTestDevice(), { ...accuracy, model })).measurement.logits[0]!
      .values;
    for (const [at, value] of scored!.logits[0]!.values.entries())
      expect(value).toBeCloseTo(reference[at]!, 4);
  });

  it('attends over many tokens on narrow subgroups as a process does', async () => {
    // 65 tokens, heads of 64: where ONNX Runtime's attention would exchange keys within a subgroup.
    const shape = { patchSize: square(4), hiddenSize: 64, heads: 1, mlpSizes: [64, 64] };
    const wide = smallViT(5, shape);
    const [here, there] = [folder('here.onnx'), folder('there.onnx')];
    await writeModel(buildGraph(wide), here);
    await writeModel(buildGraph(wide, {}, 'webgpu'), there);
    const { device, results } = await performAll('webgpu', [timing(there, inputs, 1, twoQueries)]);
    expect(device.environment.gpu!.features).not.toContain('subgroups');
    const local = await perform(await openTestDevice(), timing(here, inputs, 1, twoQueries));
    const [expected, found] = [local, results[0]!].map(({ measurement }) => measurement.logits[0]!.values);
    for (const [at, value] of found!.entries()) expect(value).toBeCloseTo(expected![at]!, 3);
  });

  it('is not supported where WebGPU has no kernels, and says for what', async () => {
    const { device, close } = await opened('webgpu');
    const refused = perform(device, timing(model, inputs, 1, twoQueries));
    await expect(refused).rejects.toBeInstanceOf(UnsupportedError);
    await expect(refused).rejects.toThrow('WebGPU has no kernels for Attention, Concat');
    await close();
  });

  it('reaches the harness and nothing else', async () => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('here');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const server = await PageServer.start();
    const source = await pageSource(browserProfile());
    const { page, close } = await source.open();
    const processes: Parameters<PageServer['admit']>[0]['processes'] = () =>
      Promise.resolve({ means: null, memory: {} });
    const visit = {
      request: { kind: 'identify' } as const,
      files: new Map([['files/0/a', inputs]]),
      outputs: new Map(),
      processes,
    };
    const { url, end } = server.admit(visit);
    await page.goto(url);
    const ask = (path: string): Promise<unknown> =>
      page.evaluate(`fetch(${JSON.stringify(path)}).then((answer) => answer.status, () => 'nothing')`);
    expect(await ask('files/0/a')).toBe(200);
    expect(await ask('files/0/b')).toBe(404);
    expect(await ask('agent/..%2f..%2f..%2fpackage.json')).toBe(404);
    expect(await ask(`http://127.0.0.1:${port}/`)).toBe('nothing');
    expect(await ask('https://example.com/')).toBe('nothing');
    await expect(page.goto('http://example.com/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
    end();
    expect((await page.goto(url))?.status()).toBe(404);
    await close();
    await source.close();
    await server.close();
    expect(asked).toEqual([]);
  });
});

describeInBrowser('a browser that goes wrong', () => {
  it('is missing', async () => {
    const { device, close } = await opened('wasm', { executable: folder('no-browser') });
    const failed = perform(device, timing(model, inputs, 1, twoQueries));
    await expect(failed).rejects.toThrow(DeviceError);
    await expect(failed).rejects.toThrow(
      /^there is no browser at .*no-browser \(executable\): .*apt-get install chromium/,
    );
    await close();
  });

  it('has no adapter', async () => {
    const { device, close } = await opened('webgpu', {
      adapter: 'default',
      flags: ['--disable-gpu', '--disable-software-rasterizer'],
    });
    await expect(perform(device, timing(model, inputs, 1, twoQueries))).rejects.toThrow(
      /^Chrome\/[\d.]+ has no WebGPU adapter/,
    );
    await close();
  });

  it('is killed, and had none of our secrets', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    let environments = '';
    const error = await disturbed('wasm', () => {
      for (const pid of browserProcesses(folder('tmp')))
        environments += readFileSync(`/proc/${pid}/environ`, 'utf8');
      killAll('browser');
    });
    expect(environments).toContain('TMPDIR=');
    expect(environments).not.toContain('hf_secret');
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toBe('the browser ended before its task was done');
  });

  it('has a page that crashes', async () => {
    const error = await disturbed('wasm', () => {
      killAll('renderer');
    });
    expect((error as Error).message).toBe('the page crashed (out of memory?)');
  });

  it('loses its GPU', async () => {
    // Before shaders are compiled, which the processor takes seconds for.
    const act = (): void => killAll('gpu-process');
    const error = await disturbed('webgpu', act, {}, { at: 'load' });
    expect((error as Error).message).toMatch(/^the GPU device was lost \(unknown\)/);
  });

  /** A model with one value of so many images. */
  async function largeModel(images: number): Promise<string> {
    const g = new GraphBuilder('large');
    const x = g.input('x', 'float32', [1, 3, 32, 32]);
    const dims = [images, 3, 32, 32];
    const large = g.call('Expand', [x, g.indices(dims)], { name: 'large', dtype: 'float32', dims });
    const first = g.constant('index', tensorOf('int64', [1], new BigInt64Array(1)));
    g.output(reshape(g, 'logits', gather(g, 'one', large, first, 0), [1, 3072]));
    const path = folder('large.onnx');
    await writeModel(g.finish(), path);
    return path;
  }

  it('is asked for more memory than its GPU gives, or its page has', async () => {
    const { device: gpu, close: closeGpu } = await opened('webgpu');
    await expect(perform(gpu, timing(await largeModel(90_000), inputs, 1, twoQueries))).rejects.toThrow(
      /Buffer size \(1105920000\) exceeds the max buffer size limit/,
    );
    await closeGpu();
    const { device: page, close: closePage } = await opened('wasm');
    const failed = perform(page, timing(await largeModel(349_000), inputs, 1, twoQueries));
    await expect(failed).rejects.toThrow(DeviceError);
    await expect(failed).rejects.toThrow(/bad_alloc|memory|allocat/i);
    await closePage();
  });

  it('hangs', async () => {
    const error = await disturbed(
      'wasm',
      () => {
        killAll('renderer', 'SIGSTOP');
      },
      {},
      { silenceMilliseconds: 5000 },
    );
    expect((error as Error).message).toBe('the agent said nothing new for 5 s');
  });

  it('takes longer than its profile allows', async () => {
    const error = await disturbed('wasm', () => undefined, { timeout: 5 });
    expect((error as Error).message).toBe("it took longer than 5 s, the profile's timeout");
  });

  it.each(['runtime', 'first'])('is stopped after %s', async (at) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const stop = (): void => {
      controller.abort(reason);
    };
    expect(await disturbed('wasm', stop, {}, { at, signal: controller.signal })).toBe(reason);
  });

  it('is there again for the next task', async () => {
    const { device, close } = await opened('wasm');
    let killed = false;
    const failed = perform(device, timing(model, inputs, 1, longPass), {
      onEvent: (event) => {
        if (event.event !== 'phase' || killed) return;
        killed = true;
        killAll('browser');
      },
    });
    await expect(failed).rejects.toThrow('the browser ended');
    const { measurement } = await perform(device, timing(model, inputs, 1, twoQueries));
    expect(measurement.latencies.length).toBeGreaterThanOrEqual(2);
    await close();
  });

  it('does not outlive a harness that is killed, nor does its profile', async () => {
    const harness = folder('harness.mjs');
    const module = join(packageRoot(), 'dist', 'device', 'browser', 'device.js');
    await writeFile(
      harness,
      `import { openBrowser } from ${JSON.stringify(module)};
       const device = await openBrowser(${JSON.stringify(browserProfile())});
       const onEvent = ({ event }) => event === 'latencies' && console.log('measuring');
       const { signal } = new AbortController();
       const task = ${JSON.stringify(timing(model, inputs, 1, longPass))};
       await device.measure(task, { onEvent, signal, silenceMilliseconds: 60000 });`,
    );
    const child = spawn(process.execPath, [harness], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(browserProcesses(folder('tmp')).length).toBeGreaterThan(2);
    child.kill('SIGKILL');
    await until('the browser ends', () => browserProcesses(folder('tmp')).length === 0);
    await until('its profile is removed', () => readdirSync(folder('tmp')).length === 0);
  });
});
