import { build } from 'esbuild';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { commands } from '../../src/cli/commands.js';
import { edgeflex } from './support.js';

describe('the start of a command', () => {
  test('loads nothing but what lists the commands', async () => {
    const { metafile } = await build({
      absWorkingDir: packageRoot(),
      entryPoints: [join('src', 'cli', 'main.ts')],
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      outdir: 'nowhere',
      write: false,
      metafile: true,
    });
    const loaded = new Set<string>();
    const visit = (name: string): void => {
      const file = metafile.inputs[name];
      if (file === undefined || loaded.has(name)) return;
      loaded.add(name);
      for (const { path, kind } of file.imports) if (kind === 'import-statement') visit(path);
    };
    visit('src/cli/main.ts');
    const rooms = new Set([...loaded].map((name) => name.split('/')[1]));
    expect([...rooms].sort()).toEqual(['base', 'cli']);
    for (const { name } of commands) expect(loaded).not.toContain(`src/cli/commands/${name}.ts`);
  });

  test('each command is what its entry says', async () => {
    for (const entry of commands) {
      const command = await entry.load();
      expect(command.name()).toBe(entry.name);
    }
  });

  test('the help of one command is the same by either way of asking', async () => {
    const asked = await edgeflex(['stages', '--help'], {});
    const helped = await edgeflex(['help', 'stages'], {});
    expect(asked.out).toContain('--markdown');
    expect(helped.out).toBe(asked.out);
  });

  test('a misspelt command is refused with the nearest', async () => {
    const { code, err } = await edgeflex(['comapre'], {});
    expect([code, err.includes('compare')]).toEqual([2, true]);
  });
});
