import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { writeFailure } from '../base/write-failure.js';
import { damageOf, recordFile } from './checked.js';
import type { CacheKey } from './key.js';
import { syncFile, syncFolder, writeManifest, type Manifest } from './manifest.js';

/** The folder of an entry's files, beside its manifest. */
export const FILES = 'files';

/** Ends the name of a file that is still being written; it stays for the next call to go on with. */
export const PARTIAL = '.partial';

/** An entry of the cache that is whole. It stays as long as this process lives. */
export interface Entry {
  readonly key: CacheKey;
  readonly title: string;
  /** Where its files lie. */
  readonly files: string;
  /** Sum of their bytes. */
  readonly bytes: number;
  /** What its maker noted. */
  readonly facts: unknown;
}

/**
 * An entry that this process alone works on: files are added one by one, each of which counts when it is in the manifest with its
 * digest. Nothing waits for the disk before it is sealed: what a power cut takes of it is known by the digests.
 */
export class OpenEntry {
  /** Files whose digests were computed since it was opened. */
  private readonly checked = new Set<string>();

  /**
   * @param directory - of the entry
   * @param manifest - what was there before, or an empty one
   * @param unlock - lets others have it
   * @param onAdded - told of the bytes of each file
   */
  constructor(
    private readonly directory: string,
    private manifest: Manifest,
    private readonly unlock: () => void,
    private readonly onAdded: (bytes: number) => void,
  ) {}

  /** Where its files lie. */
  get files(): string {
    return join(this.directory, FILES);
  }

  /** Whether it was sealed. */
  get complete(): boolean {
    return this.manifest.complete;
  }

  /** Where a file of a name lies, or will. */
  pathOf(name: string): string {
    return join(this.files, safeName(name));
  }

  /** Whether a file is there with the bytes that it was added with; one that is not whole is removed. */
  async has(name: string): Promise<boolean> {
    if (!Object.hasOwn(this.manifest.files, name)) return false;
    // Nobody else writes to it while it is open.
    if (this.checked.has(name) && existsSync(this.pathOf(name))) return true;
    const damage = await damageOf(this.directory, this.files, this.manifest, { names: [name] });
    if (damage.length > 0) await this.remove(name);
    else this.checked.add(name);
    return damage.length === 0;
  }

  /**
   * Adds a file, in place of one of the same name.
   *
   * @param name - of the file
   * @param write - writes it to the path it is given
   * @throws InputError when the place cannot be written; ResourceError when the disk is full; what `write` throws
   */
  async add(name: string, write: (partial: string) => Promise<void>): Promise<void> {
    const path = this.pathOf(name);
    await write(`${path}${PARTIAL}`);
    await this.within(path, () => rename(`${path}${PARTIAL}`, path));
    await this.take(name);
  }

  /**
   * Adds a file that lies under its name already.
   *
   * @param name - of the file
   * @throws InputError when the place cannot be written; ResourceError when the disk is full
   */
  async take(name: string): Promise<void> {
    const path = this.pathOf(name);
    await this.within(path, async () => {
      const record = await recordFile(this.directory, this.files, name);
      this.checked.add(name);
      await this.write({ files: { ...this.manifest.files, [name]: record } });
      this.onAdded(record.bytes);
    });
  }

  /** Removes a file. */
  async remove(name: string): Promise<void> {
    const path = this.pathOf(name);
    this.checked.delete(name);
    const kept = Object.entries(this.manifest.files).filter(([other]) => other !== name);
    await this.within(path, async () => {
      await this.write({ files: Object.fromEntries(kept) });
      await rm(path, { force: true });
    });
  }

  /** Says that all of it is there, when all of it is on the disk. */
  async seal(facts?: unknown): Promise<void> {
    await this.within(this.directory, async () => {
      for (const name of Object.keys(this.manifest.files)) await syncFile(this.pathOf(name));
      await syncFolder(this.files);
      await this.write({ complete: true, facts });
    });
  }

  /** Lets other processes have it as it is. */
  release(): void {
    this.unlock();
  }

  /** Removes it, and what it holds. */
  async discard(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    this.unlock();
  }

  private async write(changes: Partial<Manifest>): Promise<void> {
    this.manifest = { ...this.manifest, ...changes };
    await writeManifest(this.directory, this.manifest, this.manifest.complete);
  }

  private async within(path: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw writeFailure(path, error);
    }
  }
}

/**
 * Records all files of a folder as an entry's, and makes sure that they are on the disk.
 *
 * @param directory - of the entry; its files lie in `FILES`
 * @param manifest - what else it says
 * @throws the file system's error
 */
export async function sealFolder(directory: string, manifest: Manifest): Promise<void> {
  const files: Manifest['files'] = {};
  for (const name of await filesIn(join(directory, FILES))) {
    await syncFile(join(directory, FILES, name));
    files[name] = await recordFile(directory, join(directory, FILES), name);
  }
  await syncFolder(join(directory, FILES));
  await writeManifest(directory, { ...manifest, files, complete: true });
}

/** Names of all files below a folder, with `/` between folders, sorted. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
}

/** Bytes of all files below a folder; none where there is no folder. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await filesIn(folder).catch(() => []))
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    );
  return bytes;
}

/** A name that cannot leave the entry's folder. */
function safeName(name: string): string {
  const parts = name.split('/');
  if (name.includes('\0') || name.includes('\\') || parts.some((part) => ['', '.', '..'].includes(part)))
    throw new InputError({
      source: 'the cache',
      found: `a file called ${JSON.stringify(name)}`,
      expected: 'a name without ".." and without a leading "/"',
    });
  return name;
}
