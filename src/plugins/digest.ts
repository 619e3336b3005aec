import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { PluginRecord } from '../base/plugin.js';

/** Files of a package that decide what it does. */
const CODE = /\.(?:[cm]?js|json|wasm|node)$/;

/** What a module imports by a path; comments that look like it cost nothing but one file more. */
const IMPORTS = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(\.{1,2}\/[^'"\n]+)\1/g;

const manifestSchema = z.looseObject({ name: z.string(), version: z.string().optional() });

/**
 * The record of a plug-in: of an installed package its name, its version and a digest of all its code; of a module on its own a
 * digest of it and of the files that it imports by a path, and they in turn.
 *
 * @param name - as it was named
 * @param path - of its module
 */
export async function recordOf(name: string, path: string): Promise<PluginRecord> {
  const root = name.startsWith('.') || name.startsWith('/') ? undefined : packageOf(path);
  if (root === undefined)
    return { name, version: null, digest: await digestOf(dirname(path), await imported(path)) };
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return {
    name: manifest.name,
    version: manifest.version ?? null,
    digest: await digestOf(root, await codeIn(root)),
  };
}

function packageOf(path: string): string | undefined {
  for (let directory = dirname(path); directory !== dirname(directory); directory = dirname(directory))
    if (existsSync(join(directory, 'package.json'))) return directory;
  return undefined;
}

async function codeIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && CODE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(root, path).split(sep).includes('node_modules'));
}

async function imported(path: string): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (found.has(file) || !existsSync(file)) return;
    found.add(file);
    const text = await readFile(file, 'utf8');
    for (const [, , specifier = ''] of text.matchAll(IMPORTS)) await visit(resolve(dirname(file), specifier));
  };
  await visit(path);
  return [...found];
}

async function digestOf(root: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const content = await readFile(file);
    hash.update(`${relative(root, file).replaceAll(sep, '/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
