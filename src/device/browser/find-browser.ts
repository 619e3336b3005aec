import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DeviceError } from '../../base/errors.js';
import type { BrowserProfile } from './profile.js';

type Channel = NonNullable<BrowserProfile['channel']>;

/** Names of each browser's program, and where it lies on systems that do not put it on the path. */
const programs: Record<Channel, { readonly names: readonly string[]; readonly places: readonly string[] }> = {
  chromium: {
    names: ['chromium', 'chromium-browser'],
    places: ['/Applications/Chromium.app/Contents/MacOS/Chromium'],
  },
  chrome: {
    names: ['google-chrome', 'google-chrome-stable', 'chrome'],
    places: [
      '/opt/google/chrome/chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    ],
  },
  'chrome-beta': {
    names: ['google-chrome-beta'],
    places: [
      '/opt/google/chrome-beta/chrome',
      '/Applications/Google Chrome Beta.app/Contents/MacOS/Google Chrome Beta',
      'C:\\Program Files\\Google\\Chrome Beta\\Application\\chrome.exe',
    ],
  },
  'chrome-dev': {
    names: ['google-chrome-unstable'],
    places: [
      '/opt/google/chrome-unstable/chrome',
      '/Applications/Google Chrome Dev.app/Contents/MacOS/Google Chrome Dev',
      'C:\\Program Files\\Google\\Chrome Dev\\Application\\chrome.exe',
    ],
  },
  'chrome-canary': {
    names: ['google-chrome-canary'],
    places: ['/Applications/Google Chrome Canary.app/Contents/MacOS/Google Chrome Canary'],
  },
  edge: {
    names: ['microsoft-edge', 'microsoft-edge-stable'],
    places: [
      '/opt/microsoft/msedge/msedge',
      '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
    ],
  },
};

/** Where nothing is said, the first of these that is installed. */
const preferred: readonly Channel[] = ['chrome', 'chromium', 'edge', 'chrome-beta', 'chrome-dev'];

const INSTALL =
  'install one (Debian, Ubuntu: apt-get install chromium; macOS: brew install --cask google-chrome; Windows: winget install Google.Chrome), or name its program as "executable" in the profile or in PUPPETEER_EXECUTABLE_PATH';

/**
 * The browser's program: as the profile names it, as `PUPPETEER_EXECUTABLE_PATH` does, or the first that is installed.
 *
 * @param profile - of a browser on this machine
 * @throws DeviceError when there is none, with the command that installs one
 */
export function findBrowser({ executable, channel }: Pick<BrowserProfile, 'executable' | 'channel'>): string {
  const environment = process.env['PUPPETEER_EXECUTABLE_PATH'];
  const named = executable ?? (channel === undefined ? environment : undefined);
  if (named !== undefined) {
    if (existsSync(named)) return named;
    const where = executable === undefined ? 'PUPPETEER_EXECUTABLE_PATH' : 'executable';
    throw new DeviceError(`there is no browser at ${named} (${where}): ${INSTALL}`);
  }
  const path = (process.env['PATH'] ?? '').split(delimiter);
  for (const each of channel === undefined ? preferred : [channel]) {
    const { names, places } = programs[each];
    const onPath = names.flatMap((name) => path.map((directory) => join(directory, name)));
    const found = [...onPath, ...places].find((place) => existsSync(place));
    if (found !== undefined) return found;
  }
  throw new DeviceError(`there is no ${channel ?? 'Chrome, Chromium or Edge'} on this machine: ${INSTALL}`);
}
