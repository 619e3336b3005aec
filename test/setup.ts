import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';
import { boardIsMissing } from './support/board/missing.js';
import { browserPath } from './report/support/browser-path.js';

/** Looks for what the tests need besides the installed packages. */
export default function setup(): void {
  // Agents run from the built code.
  if (!existsSync(join(packageRoot(), 'dist', 'agent', 'node.js')))
    throw new Error('dist/ is missing: run "npm run build" first');
  if (browserPath === undefined)
    console.warn(
      '\nNo Chromium here: the tests of the report in a browser and of browsers as devices do not run (in CI they fail).' +
        '\n"apt-get install chromium" brings one; PUPPETEER_EXECUTABLE_PATH names another.\n',
    );
  if (boardIsMissing !== undefined)
    console.warn(
      `\nNo ${boardIsMissing} here: the tests of boards over SSH do not run (in CI they fail).` +
        '\nThey need root on Debian, and "apt-get install qemu-user-static openssh-server openssh-client".\n',
    );
}
