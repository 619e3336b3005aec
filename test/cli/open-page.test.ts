import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { storeExample } from '../analysis/support/example.js';
import { useFolder } from '../support/folder.js';
import { until } from '../support/processes.js';
import { edgeflexProcess } from './support.js';

const folder = useFolder();

it('a report is shown in the browser of the desktop', async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeExample(db);
  await db.destroy();
  const browser = folder('browser');
  await writeFile(browser, `#!/bin/sh\nprintf '%s' "$1" > '${folder('shown')}'\n`);
  await chmod(browser, 0o755);
  const env = { BROWSER: browser, DISPLAY: undefined, WAYLAND_DISPLAY: undefined };
  const { code, out } = await edgeflexProcess(['report', 'example', '--open'], env, folder());
  expect(code).toBe(0);
  const shown = (): string => {
    try {
      return readFileSync(folder('shown'), 'utf8');
    } catch {
      return '';
    }
  };
  await until('the page is shown', () => shown() !== '');
  expect(shown()).toContain(out.trim().split('/').slice(-2).join('/'));
});
