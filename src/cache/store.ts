import { existsSync } from 'node:fs';
import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError } from '../base/errors.js';
import { makeFolders } from '../base/folder.js';
import { cacheDirectory } from '../base/paths.js';
import { writeFailure } from '../base/write-failure.js';
import { damageOf, type Damage } from './checked.js';
import { FILES, OpenEntry, sealFolder, type Entry } from './entry.js';
import type { CacheKey } from './key.js';
import { entriesIn, isAbandoned } from './inventory.js';
import { limitBytes } from './limit.js';
import { holderOf, removeFreeLocks, tryLock, waitForLock, type Holder, type Lock } from './lock.js';
import { MANIFEST, readManifest, syncFolder, type Manifest } from './manifest.js';

/** How an entry is made. */
export interface MakeOptions {
  /** What it is, for people. */
  readonly title: string;
  /** Make it anew though it is there. */
  readonly replace?: boolean;
  /** Ends the waiting for another process that makes the same. */
  readonly signal?: AbortSignal | undefined;
  /** Told who is waited for. */
  readonly onWait?: (holder: Holder | undefined) => void;
}

/** How often others may take away what was just made. */
const MAX_TURNS = 10;

/** Entries in use by this process, by their lock files: nobody removes them meanwhile. */
const uses = new Map<string, Lock>();

/** What this process is making, by the entry's lock. */
const making = new Map<string, Promise<unknown>>();

/** Folders in which this process has looked for what killed ones left. */
const swept = new Set<string>();

/** By cache folder: how full it was when this process last looked, and what it has put there since. */
const fills = new Map<string, { readonly bytes: number; added: number }>();

/** Others fill the cache, too: after so large a part of the limit, it is time to look again. */
const LOOK_AGAIN = 1 / 16;

/**
 * The one store for everything that EdgeFlex keeps between commands, in the cache folder: entries known by the digest of what they were
 * made from, whose files are checked against their own digests before they are used.
 *
 * An entry is a folder `entries/<kind>/<digest>` with a manifest and the files. It is written under a temporary name and renamed when
 * it is on the disk. Whoever reads an entry holds its lock with others, whoever makes, grows or removes it holds it alone.
 */
export class CacheStore {
  /** @param root - the cache folder */
  constructor(readonly root: string) {}

  /**
   * An entry that is whole. It stays for as long as this process lives.
   *
   * @param key - which
   * @param signal - ends the waiting for a process that replaces it
   * @returns undefined when it is not there, not all of it yet, or damaged: `damageTo` says which
   * @throws InputError when the cache cannot be written
   */
  async find(key: CacheKey, signal?: AbortSignal): Promise<Entry | undefined> {
    const directory = this.directoryOf(key);
    if ((await readManifest(directory))?.complete !== true) return undefined;
    await this.use(key, signal);
    const manifest = await intact(key, directory);
    if (manifest === undefined) {
      this.unuse(key);
      return undefined;
    }
    const now = new Date();
    // A cache that cannot be written can still be read.
    await utimes(join(directory, MANIFEST), now, now).catch(() => undefined);
    return entryOf(key, directory, manifest);
  }

  /**
   * What is wrong with an entry that was complete once.
   *
   * @param key - which
   * @returns nothing for an entry that is whole, or that is not there
   */
  async damageTo(key: CacheKey): Promise<readonly Damage[]> {
    const directory = this.directoryOf(key);
    const manifest = await readManifest(directory);
    return manifest?.complete === true ? damageOf(directory, join(directory, FILES), manifest) : [];
  }

  /**
   * An entry: the one that is there, or one that is made now. While another process makes the same one, it is waited for.
   *
   * @param key - which
   * @param options - title, signal
   * @param fill - writes the files into the folder it is given, and gives what is to be noted of them
   * @returns the entry, and whether it was there already
   * @throws InputError when the cache cannot be written; ResourceError when the disk is full; what `fill` throws; the signal's reason
   */
  async make(
    key: CacheKey,
    options: MakeOptions,
    fill: (folder: string) => Promise<unknown>,
  ): Promise<Entry & { readonly cached: boolean }> {
    const path = this.lockOf(key);
    // What this process has just made it uses, and its own use would keep a second call from the lock for ever.
    for (let other = making.get(path); other !== undefined; other = making.get(path))
      await other.catch(() => undefined);
    const made = this.makeAlone(key, options, fill);
    making.set(path, made);
    try {
      return await made;
    } finally {
      making.delete(path);
    }
  }

  private async makeAlone(
    key: CacheKey,
    options: MakeOptions,
    fill: (folder: string) => Promise<unknown>,
  ): Promise<Entry & { readonly cached: boolean }> {
    await this.prepare();
    let replace = options.replace === true;
    for (let turn = 0; turn < MAX_TURNS; turn++, replace = false) {
      const found = replace ? undefined : await this.find(key, options.signal);
      if (found) return { ...found, cached: true };
      this.unuse(key);
      const path = this.lockOf(key);
      const lock = await waitForLock(path, 'exclusive', options.signal, options.onWait);
      try {
        // Whoever was waited for may have made it.
        if (!replace && (await intact(key, this.directoryOf(key))) !== undefined) continue;
        await this.fill(key, options.title, fill);
      } finally {
        lock.release();
      }
      const made = await this.find(key, options.signal);
      // Between the two locks, another process may have thought that there is too much.
      if (made === undefined) continue;
      this.noteAdded(made.bytes);
      await this.keepWithinLimit();
      return { ...made, cached: false };
    }
    throw new DeviceError(
      `${this.directoryOf(key)}: what was just put into the cache was damaged or removed ${MAX_TURNS} times\nCheck the disk, and whether EDGEFLEX_CACHE_LIMIT is large enough for all commands running at once.`,
    );
  }

  /**
   * Opens an entry to work on it file by file, for as long as that takes.
   *
   * @param key - which
   * @param title - what it is, for people
   * @returns undefined while another process uses it
   * @throws InputError when the cache cannot be written; ResourceError when the disk is full
   */
  async open(key: CacheKey, title: string): Promise<OpenEntry | undefined> {
    await this.prepare();
    this.unuse(key);
    const lock = tryLock(this.lockOf(key), 'exclusive');
    return lock && this.openLocked(key, title, lock);
  }

  /**
   * Opens an entry like `open`, or refuses.
   *
   * @param key - which
   * @param title - what it is, for people
   * @throws DeviceError that names the process that uses it
   */
  async claim(key: CacheKey, title: string): Promise<OpenEntry> {
    const entry = await this.open(key, title);
    if (entry !== undefined) return entry;
    const holder = holderOf(this.lockOf(key));
    const who = holder === undefined ? 'another process' : `process ${holder.process} on ${holder.host}`;
    throw new DeviceError(
      `${title} is locked by ${who}\nWait until it ends, which releases its lock in any case.`,
    );
  }

  /**
   * Removes an entry unless another process uses it.
   *
   * @returns whether it is gone
   */
  async remove(key: Pick<CacheKey, 'kind' | 'digest'>): Promise<boolean> {
    this.unuse(key);
    const lock = tryLock(this.lockOf(key), 'exclusive');
    if (lock === undefined) return false;
    try {
      const directory = this.directoryOf(key);
      for (const each of [directory, `${directory}.partial`])
        await rm(each, { recursive: true, force: true });
      return true;
    } catch (error) {
      throw writeFailure(this.directoryOf(key), error);
    } finally {
      lock.release();
    }
  }

  /**
   * Removes what was used longest ago until what is kept is within a limit; what a process uses stays.
   *
   * @param limit - in bytes; left out, that of `EDGEFLEX_CACHE_LIMIT`
   * @returns the bytes that were freed
   */
  async shrink(limit: number = limitBytes()): Promise<number> {
    const entries = await entriesIn(this.root);
    let left = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const before = left;
    const rank = ({ kind }: { kind: string }): number => (kind === 'model' || kind === 'dataset' ? 1 : 0);
    // What was downloaded goes after all that can be made again here.
    const byAge = entries.sort((a, b) => rank(a) - rank(b) || a.used - b.used);
    for (const entry of byAge) {
      if (left <= limit) break;
      if (!uses.has(this.lockOf(entry)) && (await this.remove(entry))) left -= entry.bytes;
    }
    fills.set(this.root, { bytes: left, added: 0 });
    return before - left;
  }

  /**
   * Shrinks the cache to `EDGEFLEX_CACHE_LIMIT` when that may be exceeded. What is kept is only looked through the first time, and
   * when this process has added enough to make a difference.
   */
  async keepWithinLimit(): Promise<void> {
    const limit = limitBytes();
    const fill = fills.get(this.root);
    if (fill && fill.bytes + fill.added <= limit && fill.added <= limit * LOOK_AGAIN) return;
    await this.shrink(limit);
  }

  private noteAdded(bytes: number): void {
    const fill = fills.get(this.root);
    if (fill) fill.added += bytes;
  }

  /**
   * Removes what processes that are gone have left: folders that were never finished, and parts of files that nobody went on
   * with.
   *
   * @returns the bytes that were freed
   */
  async sweep(): Promise<number> {
    let freed = 0;
    for (const entry of await entriesIn(this.root))
      if ((await isAbandoned(entry)) && !uses.has(this.lockOf(entry)) && (await this.remove(entry)))
        freed += entry.bytes;
    const kept = (await entriesIn(this.root)).map(({ kind, digest }) => `${kind}-${digest}`);
    removeFreeLocks(join(this.root, 'locks'), new Set(kept));
    return freed;
  }

  private async openLocked(key: CacheKey, title: string, lock: Lock): Promise<OpenEntry> {
    const directory = this.directoryOf(key);
    try {
      makeFolders(join(directory, FILES));
      const manifest = (await readManifest(directory)) ?? emptyManifest(key, title);
      const now = new Date();
      await utimes(directory, now, now);
      return new OpenEntry(
        directory,
        manifest,
        () => {
          lock.release();
        },
        (bytes) => {
          this.noteAdded(bytes);
        },
      );
    } catch (error) {
      lock.release();
      throw writeFailure(directory, error);
    }
  }

  private async fill(
    key: CacheKey,
    title: string,
    fill: (folder: string) => Promise<unknown>,
  ): Promise<void> {
    const directory = this.directoryOf(key);
    const partial = `${directory}.partial`;
    try {
      await rm(partial, { recursive: true, force: true });
      makeFolders(join(partial, FILES));
      const facts = await fill(join(partial, FILES));
      await sealFolder(partial, { ...emptyManifest(key, title), facts });
      await rm(directory, { recursive: true, force: true });
      await rename(partial, directory);
      await syncFolder(join(this.root, 'entries', key.kind));
    } catch (error) {
      throw writeFailure(directory, error);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** Holds an entry's lock with others until this process ends. */
  private async use(key: CacheKey, signal: AbortSignal | undefined): Promise<void> {
    const path = this.lockOf(key);
    if (uses.has(path)) return;
    const lock = await waitForLock(path, 'shared', signal);
    // Another call of this process may have waited, too.
    if (uses.has(path)) lock.release();
    else uses.set(path, lock);
  }

  private unuse(key: Pick<CacheKey, 'kind' | 'digest'>): void {
    const path = this.lockOf(key);
    uses.get(path)?.release();
    uses.delete(path);
  }

  /** Makes the cache folder, and cleans it once a process. */
  private async prepare(): Promise<void> {
    if (swept.has(this.root)) return;
    swept.add(this.root);
    try {
      makeFolders(this.root);
      const tag = join(this.root, 'CACHEDIR.TAG');
      // Backup programs leave such folders out (bford.info/cachedir).
      if (!existsSync(tag))
        await writeFile(tag, 'Signature: 8a477f597d28d172789f06886806bc55\n# The cache of EdgeFlex.\n');
    } catch (error) {
      swept.delete(this.root);
      throw writeFailure(this.root, error);
    }
    await this.sweep();
  }

  /** Where an entry lies when it is there. */
  directoryOf({ kind, digest }: Pick<CacheKey, 'kind' | 'digest'>): string {
    return join(this.root, 'entries', kind, digest.slice(0, 32));
  }

  private lockOf({ kind, digest }: Pick<CacheKey, 'kind' | 'digest'>): string {
    return join(this.root, 'locks', `${kind}-${digest.slice(0, 32)}.lock`);
  }
}

/** The store of this user, or of `EDGEFLEX_CACHE`. */
export function cache(): CacheStore {
  return new CacheStore(cacheDirectory());
}

/** The manifest of an entry that is complete and whose files are what it says. */
async function intact(key: CacheKey, directory: string): Promise<Manifest | undefined> {
  const manifest = await readManifest(directory);
  if (manifest?.complete !== true || manifest.digest !== key.digest) return undefined;
  const damage = await damageOf(directory, join(directory, FILES), manifest);
  return damage.length === 0 ? manifest : undefined;
}

function emptyManifest({ kind, digest, from }: CacheKey, title: string): Manifest {
  return { kind, digest, from, title, complete: false, facts: null, files: {} };
}

function entryOf(key: CacheKey, directory: string, { title, facts, files }: Manifest): Entry {
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return { key, title, files: join(directory, FILES), bytes, facts };
}
