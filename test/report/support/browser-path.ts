import { existsSync } from 'node:fs';

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser that tests use; undefined where there is none. */
export const browserPath =
  process.env['PUPPETEER_EXECUTABLE_PATH'] ?? installed.find((path) => existsSync(path));
