import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { x as extract, t as list } from 'tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';

const call = promisify(execFile);
const MAX_BYTES = 10 * 2 ** 20;

let folder: string;
let tarball: string;

/** The package as npm packs it, in an empty project beside the libraries that are installed here. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-package-'));
  await call('npm', ['run', '--silent', 'build:types'], { cwd: packageRoot() });
  const { stdout } = await call('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: packageRoot(),
  });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  tarball = join(folder, packed!.filename);
  const modules = join(folder, 'project', 'node_modules');
  await mkdir(join(modules, 'edgeflex'), { recursive: true });
  await extract({ file: tarball, cwd: join(modules, 'edgeflex'), strip: 1 });
  const installed = join(packageRoot(), 'node_modules');
  for (const name of await readdir(installed))
    if (!name.startsWith('.')) await symlink(join(installed, name), join(modules, name));
}, 600_000);

afterAll(() => rm(folder, { recursive: true }));

/** The installed command, in the project's folder. */
const edgeflex = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  call(process.execPath, [join('node_modules', 'edgeflex', 'bin', 'edgeflex.js'), ...args], {
    cwd: join(folder, 'project'),
    env: { ...process.env, EDGEFLEX_CACHE: join(folder, 'cache'), EDGEFLEX_DATA: '' },
  });

describe('the package', () => {
  test('is small, and holds what runs and no source map', async () => {
    const names: string[] = [];
    await list({ file: tarball, onReadEntry: ({ path }) => names.push(path) });
    expect((await stat(tarball)).size).toBeLessThanOrEqual(MAX_BYTES);
    expect(names.filter((name) => /\.map$|^package\/(src|test|bench)\//.test(name))).toEqual([]);
    for (const name of [
      'bin/edgeflex.js',
      'dist/types/index.d.ts',
      'suites/quickstart.yaml',
      'devices/local-cpu.yaml',
      'README.md',
    ])
      expect(names).toContain(`package/${name}`);
  });

  // Its quickstart is run from a folder of the user by .ci/smoke-package, as npm installs it and without a network.
  test('lists its suites and devices', async () => {
    expect((await edgeflex('suites')).stdout).toContain('quickstart');
    expect((await edgeflex('devices', 'list')).stdout).toContain('browser-wasm');
  });

  test('decodes images of a user, in threads', async () => {
    const images = join(packageRoot(), 'test', 'data', 'fixtures', 'images', 'folder');
    const { stdout } = await edgeflex('data', 'check', images, '--holdout', '50%', '--json');
    const { trainImages, testImages } = JSON.parse(stdout) as { trainImages: number; testImages: number };
    expect([trainImages > 0, testImages > 0]).toEqual([true, true]);
  });

  test('is a library for programs, with types that hold also where those of libraries are checked', async () => {
    const project = join(folder, 'project');
    await writeFile(
      join(project, 'library.mjs'),
      "import { InputError, run } from 'edgeflex';\nimport { wilson } from 'edgeflex/statistics';\n" +
        "const refused = await run('none', 'no-such-suite').then(() => 'no', (error) => error instanceof InputError);\n" +
        'console.log(refused, wilson(812, 1000).value);\n',
    );
    const { stdout } = await call(process.execPath, ['library.mjs'], { cwd: project });
    expect(stdout.trim()).toBe('true 0.812');
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await copyFile(join(packageRoot(), 'test', 'package', 'consumer.ts.txt'), join(project, 'consumer.ts'));
    const options = ['--target', 'es2023', '--lib', 'es2023,dom,esnext.disposable', '--module', 'nodenext'];
    await call(
      process.execPath,
      [
        join('node_modules', 'typescript', 'bin', 'tsc'),
        '--strict',
        '--noEmit',
        '--types',
        'node',
        ...options,
        'consumer.ts',
      ],
      { cwd: project },
    );
  }, 300_000);

  test('names what is in the checkout alone', async () => {
    const data = join(packageRoot(), 'suites', 'data', 'shapes10');
    const refused = await edgeflex('run', 'peers', '--data', data).catch((error: unknown) => String(error));
    expect(refused).toMatch(/cifar10|vit-tiny-cifar10/);
  });
});
