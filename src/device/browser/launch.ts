import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, LaunchOptions, Page } from 'puppeteer-core';
import { DeviceError, messageOf } from '../../base/errors.js';
import { packageRoot } from '../../base/paths.js';
import { temporaryFolder } from '../../base/temporary.js';
import type { BrowserProcesses } from '../../protocol/page.js';
import type { BrowserProfile } from './profile.js';
import { agentEnvironment } from '../agent-environment.js';
import { findBrowser } from './find-browser.js';
import { processMemory } from './processes.js';

/** How long a browser that was told to end may take before it is killed. */
const GRACE_MILLISECONDS = 3000;

/** How long a browser may take to start, or to answer when it is connected to. */
const START_MILLISECONDS = 60_000;

/**
 * No updates, no reports, no names of the net: the browser reaches this machine's loopback and nothing else. A long shader is
 * no hang, and a page that nobody sees works as hard as another.
 */
const QUIET_FLAGS = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-extensions',
  '--disable-quic',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--disable-gpu-watchdog',
];

/** Exact sizes of the heap. */
const MEASURING_FLAGS = ['--enable-precise-memory-info'];

/** The garbage collector on call. */
const V8_FLAGS = ['--expose-gc'];

/**
 * WebAssembly is compiled by V8's baseline compiler alone, function by function as they are called. Its optimizing compiler takes tens of
 * MiB while it works, at a moment that nobody determines, and none of it is the model's.
 */
const BASELINE_COMPILER_ALONE = '--liftoff-only';

/** Only the last flag of this name counts in a browser. */
const V8_FLAGS_NAME = '--js-flags=';

/** How a page is opened. */
export interface PageOptions {
  /** Whether V8's optimizing compiler is off, where the browser is started for the page: for memory, not for speed. */
  readonly withoutOptimizer: boolean;
}

const USUAL: PageOptions = { withoutOptimizer: false };

/**
 * The flags a browser is started with: those for V8, of ours and of the profile's, in one.
 *
 * @param profile - of the browser
 * @param options - of the page that it is started for
 */
export function browserFlags(
  { provider, adapter, flags }: BrowserProfile,
  { withoutOptimizer }: PageOptions = USUAL,
): string[] {
  // Chromium's sandbox does not work for the superuser, who containers often are.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  // Off by default on Linux; adapters tell their names only to developers.
  const webgpu = ['--enable-unsafe-webgpu', '--enable-webgpu-developer-features'];
  const software = adapter === 'swiftshader' ? ['--use-webgpu-adapter=swiftshader'] : [];
  const isForV8 = (flag: string): boolean => flag.startsWith(V8_FLAGS_NAME);
  const v8 = [
    ...V8_FLAGS,
    ...(withoutOptimizer ? [BASELINE_COMPILER_ALONE] : []),
    ...flags.filter(isForV8).map((flag) => flag.slice(V8_FLAGS_NAME.length)),
  ];
  return [
    ...sandbox,
    ...QUIET_FLAGS,
    ...MEASURING_FLAGS,
    `${V8_FLAGS_NAME}${v8.join(' ')}`,
    ...(provider === 'webgpu' ? [...webgpu, ...software] : []),
    ...flags.filter((flag) => !isForV8(flag)),
  ];
}

/** A page in a browser, both made for one task. */
export interface FreshPage {
  readonly page: Page;
  readonly browser: Browser;
  /** Memory of the browser's processes, whose peaks begin anew; not known where they are not this machine's. */
  readonly processes: () => Promise<BrowserProcesses>;
  /** The process group of the browser; undefined where it was not started for the page. */
  readonly group: number | undefined;
  /** Ends the page and all that was started for it. */
  readonly close: () => Promise<void>;
}

/** Makes fresh pages: each in a browser of its own, or in a browser that already runs. */
export interface PageSource {
  open(options?: PageOptions): Promise<FreshPage>;
  close(): Promise<void>;
}

/**
 * A source of pages.
 *
 * @param profile - of the browser
 */
export async function pageSource(profile: BrowserProfile): Promise<PageSource> {
  return profile.connect === undefined ? startedBrowsers(profile) : runningBrowser(profile.connect);
}

/** Browsers with profiles of their own in a folder that a watchdog removes, together with the browser, when we are gone. */
async function startedBrowsers(profile: BrowserProfile): Promise<PageSource> {
  const folder = await temporaryFolder('browser');
  let watchdog: ChildProcess | undefined;
  const watch = (): ChildProcess =>
    // In a group of its own, so that Ctrl-C does not end it together with us.
    spawn(process.execPath, [join(packageRoot(), 'dist', 'command', 'watchdog.js'), folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: agentEnvironment({}),
      detached: true,
    });
  return {
    async open(page = USUAL) {
      const executablePath = findBrowser(profile);
      watchdog ??= watch();
      const userDataDir = await mkdtemp(join(folder, 'profile-'));
      const options: LaunchOptions = {
        executablePath,
        headless: profile.headless,
        userDataDir,
        // What a browser that is killed leaves among the temporary files goes with the folder.
        env: agentEnvironment({ TMPDIR: folder }),
        // The browser ends when its pipe closes, which it does when we end.
        pipe: true,
        args: browserFlags(profile, page),
        timeout: START_MILLISECONDS,
        protocolTimeout: START_MILLISECONDS,
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      };
      // Only now: it takes long to load, and asks for the user's home.
      const browser = await import('puppeteer-core')
        .then(({ launch }) => launch(options))
        .catch((error: unknown) => {
          throw new DeviceError(`the browser did not start: ${firstLine(messageOf(error))}`);
        });
      const started = browser.process();
      // A browser that ends resets its pipes; that it ended is noticed by other means.
      for (const pipe of started?.stdio ?? []) pipe?.on('error', () => undefined);
      watchdog.stdin?.write(`${started?.pid ?? ''}\n`);
      const close = async (): Promise<void> => {
        if (started && started.exitCode === null && started.signalCode === null) await end(browser, started);
        // Pipes that nobody closes keep a process from ending.
        for (const pipe of started?.stdio ?? []) pipe?.destroy();
        watchdog?.stdin?.write('\n');
        await rm(userDataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      };
      try {
        const session = await browser.target().createCDPSession();
        const [first = await browser.newPage()] = await browser.pages();
        const processes = (): Promise<BrowserProcesses> => processMemory(session, page);
        return { page: first, browser, processes, group: started?.pid, close };
      } catch (error) {
        await close();
        throw new DeviceError(`the browser did not start: ${firstLine(messageOf(error))}`);
      }
    },
    async close() {
      if (watchdog === undefined) {
        await rm(folder, { recursive: true, force: true });
        return;
      }
      const ended = once(watchdog, 'exit');
      watchdog.stdin?.end();
      await ended;
    },
  };
}

/**
 * Tells a browser to end, kills it when it does not, and kills what it leaves behind: it does not wait for renderers that
 * hang.
 */
async function end(browser: Browser, started: ChildProcess): Promise<void> {
  const exit = once(started, 'exit');
  const killAll = (): void => {
    try {
      if (started.pid !== undefined) process.kill(-started.pid, 'SIGKILL');
    } catch {
      // Nothing of the group is left.
      started.kill('SIGKILL');
    }
  };
  const late = setTimeout(killAll, GRACE_MILLISECONDS);
  // A browser that went away does not answer any more.
  browser.close().catch(() => undefined);
  await exit;
  clearTimeout(late);
  killAll();
}

/** A browser that somebody else started: pages in contexts of their own, which are closed, and the browser is left alone. */
function runningBrowser(address: string): PageSource {
  return {
    async open() {
      const where = address.startsWith('http') ? { browserURL: address } : { browserWSEndpoint: address };
      const { connect } = await import('puppeteer-core');
      const browser = await connect({ ...where, protocolTimeout: START_MILLISECONDS }).catch(
        (error: unknown) => {
          throw new DeviceError(`no browser answers at ${address}: ${firstLine(messageOf(error))}`);
        },
      );
      // Browsers on phones have no further contexts.
      const context = await browser.createBrowserContext().catch(() => undefined);
      const page = await (context ?? browser).newPage();
      return {
        page,
        browser,
        processes: () => Promise.resolve({ means: null, memory: {} }),
        group: undefined,
        close: async () => {
          await page.close().catch(() => undefined);
          await context?.close().catch(() => undefined);
          await browser.disconnect();
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1).join();
}
