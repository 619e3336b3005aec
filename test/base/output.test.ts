import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { refuseReplacing, writeOutput, writeOutputs, type OutputContent } from '../../src/base/output.js';
import { packageRoot } from '../../src/base/paths.js';
import { namedModel } from '../../src/model/source.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();
const out = (...names: string[]): string => folder('out', ...names);

/** What lies in the output folder, without the list of it. */
async function contents(): Promise<Record<string, string>> {
  const names = (await readdir(out(), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => `${entry.parentPath.slice(out().length)}/${entry.name}`.slice(1));
  const found: Record<string, string> = {};
  for (const name of names) found[name] = await readFile(out(name), 'utf8');
  return found;
}

const first = new Map([
  ['model.onnx', 'one'],
  ['charts/a.svg', 'picture'],
]);

describe('files written into a folder', () => {
  it('replace those of an earlier output, and those that it no longer has go', async () => {
    await writeOutputs(out(), first);
    await writeOutputs(out(), new Map([['model.onnx', 'two']]));
    expect(await contents()).toEqual({ 'model.onnx': 'two' });
    expect(await readdir(folder())).toEqual(['out']);
  });

  it('leave what others put there', async () => {
    await writeOutputs(out(), first);
    await writeFile(out('notes.txt'), 'mine');
    await writeOutputs(out(), new Map([['model.onnx', 'two']]));
    expect(await contents()).toEqual({ 'model.onnx': 'two', 'notes.txt': 'mine' });
  });

  it('do not replace what EdgeFlex did not write, or what was changed since, unless forced', async () => {
    await mkdir(out());
    await writeFile(out('model.onnx'), 'mine');
    expect((await refusalOf(() => writeOutputs(out(), first))).source).toBe(out('model.onnx'));
    expect(await contents()).toEqual({ 'model.onnx': 'mine' });
    await writeOutputs(out(), first, { force: true });
    await writeFile(out('model.onnx'), 'changed');
    expect((await refusalOf(() => writeOutputs(out(), first))).found).toMatch(/modified|changed/);
  });

  it('never replace what was read, forced or not, by whatever name', async () => {
    await mkdir(out());
    await writeFile(out('model.onnx'), 'input');
    await symlink(out(), folder('other name'));
    for (const input of [out('model.onnx'), out(), folder('other name', 'model.onnx')])
      await refusalOf(() => writeOutputs(out(), first, { inputs: [input], force: true }));
    expect(await contents()).toEqual({ 'model.onnx': 'input' });
  });

  it('do not remove what was read, forced or not, or what was changed since', async () => {
    await writeOutputs(out(), first);
    const next = new Map([['model.onnx', 'two']]);
    const options = { inputs: [out('charts', 'a.svg')], force: true };
    expect((await refusalOf(() => writeOutputs(out(), next, options))).source).toBe(out('charts', 'a.svg'));
    expect((await refusalOf(() => refuseReplacing(out(), next.keys(), options))).found).toMatch(/input/);
    await writeFile(out('charts', 'a.svg'), 'changed');
    expect((await refusalOf(() => writeOutputs(out(), next))).source).toBe(out('charts', 'a.svg'));
    expect(await contents()).toEqual({ 'model.onnx': 'one', 'charts/a.svg': 'changed' });
    await writeOutput(out('model.onnx'), 'three');
    expect(await contents()).toEqual({ 'model.onnx': 'three', 'charts/a.svg': 'changed' });
  });

  it('are all as they were when one cannot be written', async () => {
    await writeOutputs(out(), first);
    const missing = { copyOf: folder('is not there') };
    const second = new Map<string, OutputContent>([
      ['model.onnx', 'two'],
      ['weights', missing],
    ]);
    await expect(writeOutputs(out(), second)).rejects.toThrow();
    expect(await contents()).toEqual(Object.fromEntries(first));
    expect(await readdir(folder())).toEqual(['out']);
  });

  it('come back when whoever exchanged them was killed, and what it left goes', async () => {
    await writeOutputs(out(), first);
    await rename(out(), folder('.out.edgeflex-old'));
    const child = spawn('true');
    await new Promise((resolve) => child.on('exit', resolve));
    await mkdir(folder(`.out.edgeflex-${child.pid}-abc`));
    await expect(writeOutputs(out(), new Map([['a', { copyOf: folder('none') }]]))).rejects.toThrow();
    expect(await contents()).toEqual(Object.fromEntries(first));
    expect(await readdir(folder())).toEqual(['out']);
  });
});

describe('a file', () => {
  it('is replaced when EdgeFlex wrote it, and refused when it did not', async () => {
    await writeOutput(out('a.md'), 'one');
    await writeOutput(out('b.md'), 'other');
    await writeOutput(out('a.md'), 'two');
    expect(await contents()).toEqual({ 'a.md': 'two', 'b.md': 'other' });
    await rm(out('a.md'));
    await writeFile(out('a.md'), 'mine');
    await refusalOf(() => writeOutput(out('a.md'), 'three'));
    await writeOutput(out('a.md'), 'three', { force: true });
    expect(await readFile(out('a.md'), 'utf8')).toBe('three');
  });

  it('that is a device is written to', async () => {
    await writeOutput('/dev/null', 'nothing');
    await expect(writeOutput('/dev/full', 'nothing')).rejects.toThrow(/disk is full/);
  });
});

/** Runs a program in a process of its own, with the built `writeOutputs` and `exchangeFolders`. */
async function program(text: string, ...args: string[]): Promise<NodeJS.Signals | number | null> {
  const script = folder('program.mjs');
  const built = (name: string): string => pathToFileURL(join(packageRoot(), 'dist', 'base', name)).href;
  await writeFile(
    script,
    `import fs from 'node:fs';
     import { syncBuiltinESMExports } from 'node:module';
     const [, , ...args] = process.argv;
     const { exchangeFolders } = await import(${JSON.stringify(built('exchange.js'))});
     const { writeOutputs } = await import(${JSON.stringify(built('output.js'))});
     ${text}`,
  );
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

describe('an output folder', () => {
  it('whose writer is killed while it exchanges it is read as it was', async () => {
    await writeOutputs(out(), first);
    const ended = await program(
      `const rename = fs.renameSync;
       fs.renameSync = (...names) => { rename(...names); process.kill(process.pid, 'SIGKILL'); };
       syncBuiltinESMExports();
       await writeOutputs(args[0], new Map([['model.onnx', 'two']]));`,
      out(),
    );
    expect(ended).toBe('SIGKILL');
    expect(await readdir(folder())).not.toContain('out');
    expect(namedModel(out('model.onnx'))).toMatchObject({ kind: 'path', path: out('model.onnx') });
    expect(await contents()).toEqual(Object.fromEntries(first));
  });

  it('that several exchange at once is that of one of them, and nothing is left beside it', async () => {
    await mkdir(out());
    await writeFile(out('file'), 'before');
    const exchanging = `for (let turn = 0; turn < 200; turn++) {
       const staging = args[0] + '-staging-' + args[1];
       fs.mkdirSync(staging);
       fs.writeFileSync(staging + '/file', args[1] + ' ' + turn);
       exchangeFolders(staging, args[0]);
     }`;
    const ends = await Promise.all(['a', 'b', 'c'].map((who) => program(exchanging, out(), who)));
    expect(ends).toEqual([0, 0, 0]);
    expect((await contents())['file']).toMatch(/^[abc] 199$/);
    expect((await readdir(folder())).sort()).toEqual(['out', 'program.mjs']);
  }, 60_000);

  it('that is a link to one elsewhere stays a link', async () => {
    await mkdir(folder('elsewhere'));
    await symlink(folder('elsewhere'), out());
    for (const text of ['one', 'two']) await writeOutputs(out(), new Map([['model.onnx', text]]));
    await writeOutput(out('a.md'), 'text');
    expect(await readFile(folder('elsewhere', 'model.onnx'), 'utf8')).toBe('two');
    expect((await lstat(out())).isSymbolicLink()).toBe(true);
  });
});
