import { chmod } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { useFolder } from '../support/folder.js';
import { microDirectory } from '../support/micro.js';

const folder = useFolder();
const UNKNOWN = 12345;
const compress = ['compress', microDirectory, '--recipe', 'suites/recipes/peer-dynamic-int8.yaml', '-o'];

/** The command in an environment that holds nothing but what is given. */
function edgeflex(
  env: Readonly<NodeJS.ProcessEnv>,
  args: readonly string[],
  ids: { readonly uid?: number; readonly gid?: number } = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot(), 'bin', 'edgeflex.js'), ...args],
    { cwd: packageRoot(), env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', ...ids },
  );
  return { code: status, out: stdout, err: stderr };
}

describe.skipIf(process.getuid?.() !== 0)('a user whom the system does not know', () => {
  const ids = { uid: UNKNOWN, gid: UNKNOWN };

  it.each([{ env: {} }, { env: { HOME: '/' } }])('is told the version with $env', ({ env }) => {
    const { code, out } = edgeflex(env, ['--version'], ids);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\s*$/);
  });

  it('is told to name a cache folder when there is none that can be written', async () => {
    await chmod(folder(), 0o777);
    for (const env of [{}, { HOME: '/' }]) {
      const { code, err } = edgeflex(env, [...compress, join(folder(), 'out')], ids);
      expect([code, err]).toEqual([2, expect.stringContaining('EDGEFLEX_CACHE')]);
      expect(err).not.toMatch(/^ +at /m);
    }
  });
});

describe.skipIf(process.platform !== 'linux')('a folder in which none can be made', () => {
  it.each([{ variable: 'EDGEFLEX_CACHE', value: '/proc/nope/cache' }])(
    'is refused as $variable',
    ({ variable, value }) => {
      const env = { HOME: folder(), [variable]: value };
      const { code, err } = edgeflex(env, [...compress, join(folder(), 'out')]);
      expect([code, err]).toEqual([2, expect.stringContaining(variable)]);
      expect(err).toContain(value);
    },
  );

  it('is refused as the place of the output', () => {
    const { code, err } = edgeflex({ HOME: folder() }, [...compress, '/proc/nope/out']);
    expect([code, err]).toEqual([2, expect.stringContaining('/proc/nope')]);
  });
});
