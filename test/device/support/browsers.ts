import { readdirSync, readFileSync } from 'node:fs';
import { openBrowser } from '../../../src/device/browser/device.js';
import type { Device } from '../../../src/device/device.js';
import type { BrowserProfile } from '../../../src/device/browser/profile.js';

/** A browser's profile as its file would give it, with some fields changed. */
export function browserProfile(changes: Partial<BrowserProfile> = {}): BrowserProfile {
  return {
    ...{
      kind: 'browser',
      name: 'browser',
      description: '',
      session: {},
      threads: 1,
      notes: '',
      emulated: false,
    },
    ...{ provider: 'wasm', headless: true, flags: [], adapter: 'default' },
    ...changes,
  };
}

/** Opens the browser that tests use, on WebAssembly or on WebGPU that the processor plays. */
export function openTestBrowser(
  provider: 'wasm' | 'webgpu',
  changes: Partial<BrowserProfile> = {},
): Promise<Device> {
  const adapter = provider === 'webgpu' ? 'swiftshader' : 'default';
  return openBrowser(browserProfile({ provider, adapter, ...changes }));
}

/**
 * Processes of browsers whose profile lies in a folder.
 *
 * @param folder - part of their command line
 * @param type - `renderer`, `gpu-process`; `browser` is the first process of each
 */
export function browserProcesses(folder: string, type?: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const command = commandOf(pid);
      if (!command.includes(folder) || command.includes('watchdog.js')) return false;
      const own = /--type=([\w-]+)/.exec(command)?.[1] ?? 'browser';
      return type === undefined || own === type;
    });
}

function commandOf(pid: number): string {
  try {
    // One that ended and was not waited for has no command line any more.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
