import { stat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hashFile } from '../base/hash.js';
import type { FileRecord, Manifest } from './manifest.js';

/** Beside the manifest: how the files looked when their digests were last computed. */
const CHECKED = 'checked.json';

const stampSchema = z.object({ bytes: z.string(), mtime: z.string(), ctime: z.string(), inode: z.string() });
type Stamp = z.infer<typeof stampSchema>;

const stampsSchema = z.record(z.string(), stampSchema);

/** A file of an entry that is not what the manifest says. */
export interface Damage {
  readonly file: string;
  readonly found: 'no such file' | 'another size' | 'another digest';
}

/**
 * Compares files of an entry with its manifest. The digest of a file is computed once, and again when its size, times or inode
 * have changed.
 *
 * @param directory - of the entry
 * @param files - where its files lie
 * @param manifest - what they must be
 * @param names - which files; left out, all
 * @param thorough - compute every digest, whatever is remembered
 * @returns what is wrong
 */
export async function damageOf(
  directory: string,
  files: string,
  manifest: Manifest,
  { names = Object.keys(manifest.files), thorough = false } = {},
): Promise<Damage[]> {
  const known = await readStamps(directory);
  const stamps = new Map(Object.entries(known));
  const damage: Damage[] = [];
  for (const name of names) {
    const path = join(files, name);
    const expected = manifest.files[name];
    const stamp = await stampOf(path);
    if (stamp === undefined || expected === undefined) damage.push({ file: name, found: 'no such file' });
    else if (stamp.bytes !== String(expected.bytes)) damage.push({ file: name, found: 'another size' });
    else if (!thorough && isSame(known[name], stamp)) continue;
    else if ((await hashFile(path)) !== expected.sha256) damage.push({ file: name, found: 'another digest' });
    else {
      stamps.set(name, stamp);
      continue;
    }
    stamps.delete(name);
  }
  await remember(directory, known, Object.fromEntries(stamps));
  return damage;
}

/**
 * The size and digest of a file that was just written, remembered as checked.
 *
 * @param directory - of the entry
 * @param files - where its files lie
 * @param name - of the file
 */
export async function recordFile(directory: string, files: string, name: string): Promise<FileRecord> {
  const path = join(files, name);
  const before = await stampOf(path);
  const sha256 = await hashFile(path);
  const known = await readStamps(directory);
  if (before !== undefined) await remember(directory, known, { ...known, [name]: before });
  return { bytes: Number(before?.bytes), sha256 };
}

async function stampOf(path: string): Promise<Stamp | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  const { size, mtimeNs, ctimeNs, ino } = found;
  return { bytes: `${size}`, mtime: `${mtimeNs}`, ctime: `${ctimeNs}`, inode: `${ino}` };
}

function isSame(a: Stamp | undefined, b: Stamp): boolean {
  return a?.bytes === b.bytes && a.mtime === b.mtime && a.ctime === b.ctime && a.inode === b.inode;
}

async function readStamps(directory: string): Promise<Readonly<Record<string, Stamp>>> {
  try {
    return stampsSchema.parse(JSON.parse(await readFile(join(directory, CHECKED), 'utf8')));
  } catch {
    return {};
  }
}

/** What is not remembered is computed again: a failed or half write costs time, no more. */
async function remember(
  directory: string,
  before: Readonly<Record<string, Stamp>>,
  after: Readonly<Record<string, Stamp>>,
): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  await writeFile(join(directory, CHECKED), JSON.stringify(after)).catch(() => undefined);
}
