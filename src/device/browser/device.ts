import { messageOf, DeviceError } from '../../base/errors.js';
import type { GraphTarget } from '../../base/target.js';
import type { Environment, Gpu } from '../../protocol/environment.js';
import type { PageIdentity, PageRequest } from '../../protocol/page.js';
import type { AccuracyTask, Task } from '../../protocol/task.js';
import { errorOf, THIS_MACHINE, type Device, type DeviceLimits, type MeasureOptions } from '../device.js';
import { threadsOf } from '../processors.js';
import type { BrowserProfile } from './profile.js';
import { browserEnvironment, type BrowserFacts } from './environment.js';
import { browserFlags, pageSource, type FreshPage, type PageSource } from './launch.js';
import { PageLoad } from './load.js';
import { nameFiles, PageServer, type Visit } from './server.js';
import { visit, type VisitOptions } from './visit.js';

/** WebAssembly's address space; the runtime and the activations need some of it, too. */
const WASM_BYTES = 4 * 1024 ** 3;

/** How long a page may take to say where it runs: some adapters never answer. */
const IDENTIFY_MILLISECONDS = 30_000;

/**
 * A browser: every task runs in a page of its own, in a browser with a profile of its own (or in one that already runs).
 *
 * A browser that is missing, does not start or has no adapter fails its measurements with the reason; the device itself can
 * be opened, so that a run goes on with the others.
 *
 * @param profile - which browser and how
 * @throws DeviceError when the page cannot be served
 */
export async function openBrowser(profile: BrowserProfile): Promise<Device> {
  const server = await PageServer.start(profile.port);
  const source = await pageSource(profile);
  const found = await identified(profile, source, server).catch((error: unknown) => {
    if (error instanceof DeviceError) return error;
    throw error;
  });
  const facts = found instanceof DeviceError ? undefined : found;
  const environment = await browserEnvironment(facts);
  return {
    profile,
    host: profile.connect === undefined ? THIS_MACHINE : `browser at ${profile.connect}`,
    environment,
    fault: found instanceof DeviceError ? found.message : undefined,
    target: targetOf(profile, facts?.identity.gpu ?? undefined),
    hidesPeak: true,
    tellsMemoryApart: profile.connect === undefined,
    limits: limitsOf(profile, environment.gpu),
    session: {
      ...profile.session,
      // WebGPU's provider computes nothing on the processor.
      threads: threadsOf(profile.threads ?? (profile.provider === 'webgpu' ? 1 : undefined), environment),
    },
    async measure(task, options) {
      options.signal.throwIfAborted();
      if (found instanceof DeviceError) throw found;
      await measure(profile, found, source, server, task, options);
    },
    async close() {
      try {
        await source.close();
      } finally {
        await server.close();
      }
    },
  };
}

function targetOf({ provider }: BrowserProfile, gpu: Gpu | undefined): GraphTarget {
  if (provider === 'wasm') return 'cpu';
  return gpu?.features.includes('shader-f16') ? 'webgpu-f16' : 'webgpu';
}

function limitsOf({ provider }: BrowserProfile, gpu: Environment['gpu']): DeviceLimits {
  const weight = provider === 'webgpu' ? gpu?.limits['maxStorageBufferBindingSize'] : undefined;
  return { model: WASM_BYTES, ...(weight !== undefined && { weight }) };
}

/** Starts the browser once and asks where it runs. */
async function identified(
  profile: BrowserProfile,
  source: PageSource,
  server: PageServer,
): Promise<BrowserFacts> {
  const { provider, connect } = profile;
  const request: PageRequest = { kind: 'identify', ...preferenceOf(profile) };
  let identity: PageIdentity | undefined;
  const product = await inFreshPage(
    source,
    server,
    { request, files: new Map(), outputs: new Map() },
    {
      signal: new AbortController().signal,
      silenceMilliseconds: IDENTIFY_MILLISECONDS,
      timeoutMilliseconds: undefined,
      onSaid: (said) => {
        if (said.event === 'failed') throw errorOf(said);
        if (said.event !== 'identified') return undefined;
        identity = said;
        return 'over';
      },
    },
  );
  if (identity === undefined) throw new DeviceError('the page did not report where it runs');
  if (!identity.isolated) throw new DeviceError('the page is not cross-origin isolated, which threads need');
  if (provider === 'webgpu' && identity.gpu === null)
    throw new DeviceError(
      `${product} has no WebGPU adapter: no GPU it can use, or a driver it does not trust` +
        ' ("adapter: swiftshader" in the profile takes a software one)',
    );
  const here = connect === undefined;
  // WebAssembly runs on the processor, whatever adapter there is.
  const where = provider === 'wasm' ? { ...identity, gpu: null } : identity;
  return { product, flags: here ? browserFlags(profile) : [], identity: where, here };
}

function preferenceOf({ adapter }: BrowserProfile): { powerPreference?: 'high-performance' | 'low-power' } {
  return adapter === 'high-performance' || adapter === 'low-power' ? { powerPreference: adapter } : {};
}

async function measure(
  profile: BrowserProfile,
  { identity, product: known }: BrowserFacts,
  source: PageSource,
  server: PageServer,
  task: Task,
  options: MeasureOptions,
): Promise<void> {
  const { nameOf, files } = nameFiles();
  const outputs = new Map<string, string>();
  const request: PageRequest = {
    kind: 'task',
    provider: profile.provider,
    ...preferenceOf(profile),
    task: renamed(task, nameOf, outputs),
  };
  let load: PageLoad | undefined;
  const product = await inFreshPage(
    source,
    server,
    { request, files, outputs },
    {
      signal: options.signal,
      silenceMilliseconds: options.silenceMilliseconds,
      timeoutMilliseconds: profile.timeout === undefined ? undefined : profile.timeout * 1000,
      onSaid: (said) => {
        if (said.event === 'identified') {
          checkAdapter(identity.gpu, said.gpu);
          return undefined;
        }
        load?.hear(said);
        options.onEvent(said);
        if (said.event === 'failed') throw errorOf(said);
        return said.event === 'finished' ? 'over' : undefined;
      },
    },
    {
      withoutOptimizer: task.kind === 'memory',
      onOpened: ({ group }) => {
        if (group !== undefined && process.platform === 'linux')
          load = new PageLoad(group, (event) => {
            options.onEvent(event);
          });
      },
    },
  ).finally(() => load?.close());
  // Browsers update themselves while they are closed.
  if (product !== known)
    throw new DeviceError(`the browser is now ${product}; the run started with ${known}`);
}

/** Another adapter than the one that is on record would be a silent fallback. */
function checkAdapter(known: Gpu | null, now: Gpu | null): void {
  const name = (gpu: Gpu | null): string =>
    gpu === null
      ? 'none'
      : [gpu.vendor, gpu.architecture, gpu.device, gpu.description].filter(Boolean).join(' ');
  if (name(known) !== name(now))
    throw new DeviceError(`the WebGPU adapter is now ${name(now)}; the run started with ${name(known)}`);
}

/** A task with the names of its files as the page asks for them. */
function renamed(task: Task, nameOf: (path: string) => string, outputs: Map<string, string>): Task {
  const images = (of: Pick<AccuracyTask, 'images'>): AccuracyTask['images'] => ({
    ...of.images,
    files: of.images.files.map(({ path, records }) => ({ path: nameOf(path), records })),
  });
  switch (task.kind) {
    case 'placement':
      return task;
    case 'prepare':
      outputs.set('output', task.output);
      return { ...task, preprocess: nameOf(task.preprocess), images: images(task), output: 'output' };
    case 'accuracy':
      return {
        ...task,
        model: nameOf(task.model),
        preprocess: nameOf(task.preprocess),
        images: images(task),
      };
    case 'kernels':
    case 'memory':
    case 'performance':
    case 'server':
    case 'offline':
      return { ...task, model: nameOf(task.model), inputs: nameOf(task.inputs) };
  }
}

/** How a page is wanted. */
interface PageWishes {
  /** See `PageOptions`. */
  readonly withoutOptimizer?: boolean;
  /** Called when it is there, before it is asked anything. */
  readonly onOpened?: (fresh: FreshPage) => void;
}

/**
 * Answers a request in a page of its own.
 *
 * @returns the browser's name and version
 */
async function inFreshPage(
  source: PageSource,
  server: PageServer,
  what: Omit<Visit, 'processes'>,
  options: VisitOptions,
  wishes: PageWishes = {},
): Promise<string> {
  const fresh = await source.open({ withoutOptimizer: wishes.withoutOptimizer === true });
  wishes.onOpened?.(fresh);
  const { url, end } = server.admit({ ...what, processes: fresh.processes });
  try {
    const product = await fresh.browser.version();
    await visit(fresh, url, options);
    return product;
  } catch (error) {
    options.signal.throwIfAborted();
    throw error instanceof DeviceError ? error : new DeviceError(messageOf(error));
  } finally {
    end();
    await fresh.close();
  }
}
