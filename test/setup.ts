import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';

/** Looks for what all tests need besides the installed packages. */
export default function setup(): void {
  // Agents run from the built code.
  if (!existsSync(join(packageRoot(), 'dist', 'agent', 'agent.mjs')))
    throw new Error('dist/ is missing: run "npm run build" first');
}
