import { messageOf } from '../../base/errors.js';
import { pageRequestSchema, SAY } from '../../protocol/page.js';
import { UnsupportedModel } from '../../runtime/engine.js';
import { runTask } from '../agent.js';
import { GpuWatch } from './gpu.js';
import { pageHost } from './host.js';
import { identify } from './identify.js';
import { hideNarrowSubgroups } from './subgroups.js';
import { WasmMemoryWatch } from './wasm-memory.js';

/** A call that fails because the device went says so in odd words; the device's own word comes within this time. */
const FAULT_MILLISECONDS = 1000;

/**
 * The agent as a page: asks the harness what to do and does it. Everything it says goes through a function that the harness
 * has given to the page.
 */

const gpu = new GpuWatch();
const wasm = new WasmMemoryWatch();
if ('gpu' in navigator) hideNarrowSubgroups();
let over = false;

const say = (message: object): void => {
  if (over) return;
  (globalThis as unknown as Record<typeof SAY, (text: string) => void>)[SAY](JSON.stringify(message));
};

const fail = (reason: string, unsupported = false): void => {
  say({ event: 'failed', reason, ...(unsupported ? { unsupported } : {}) });
  over = true;
};

async function work(): Promise<void> {
  const request = pageRequestSchema.parse(await (await fetch('request')).json());
  if (request.kind === 'identify') {
    say(await identify(request.powerPreference));
    return;
  }
  void gpu.fault.then((reason) => {
    fail(reason);
  });
  if (request.provider === 'webgpu') say(await identify(request.powerPreference));
  await runTask(pageHost(request, { gpu, wasm }), request.task, say);
  over = true;
}

work().catch(async (error: unknown) => {
  const later = new Promise<undefined>((resolve) => {
    setTimeout(resolve, FAULT_MILLISECONDS, undefined);
  });
  const fault = await Promise.race([gpu.fault, later]);
  fail(fault ?? messageOf(error), error instanceof UnsupportedModel);
});
