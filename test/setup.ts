import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';

/** Agents run from the built code; tests that start one need it. */
export default function setup(): void {
  if (!existsSync(join(packageRoot(), 'dist', 'agent', 'node.js')))
    throw new Error('dist/ is missing: run "npm run build" first');
}
