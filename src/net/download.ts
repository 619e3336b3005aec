import { access, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceError, InputError } from '../base/errors.js';
import { makeFolders } from '../base/folder.js';
import { hashFile, type FileDigest } from '../base/hash.js';
import { discardNote, discardPartial, partialPath } from './partial.js';
import { ConnectionFailure, SlowConnection, TooLarge, transfer } from './transfer.js';
import { writeFailure } from '../base/write-failure.js';

/** What a file's publisher says its digest is. */
export interface Digest {
  readonly algorithm: FileDigest;
  /** Lower-case hex. */
  readonly hex: string;
}

/** How far a download is. */
export type DownloadProgress =
  | {
      readonly kind: 'receiving';
      /** Bytes on the disk, those of earlier calls included. */
      readonly received: number;
      /** Bytes of the whole file, if the server said. */
      readonly total: number | undefined;
    }
  /** The connection failed; the next try begins after so many seconds. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly seconds: number }
  /** All bytes are there; their digest is computed. */
  | { readonly kind: 'verifying' };

/** How a file is downloaded. */
export interface DownloadOptions {
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Stops the download; what was received stays. */
  readonly signal: AbortSignal;
  /** Milliseconds to wait after each failure in a row; after the last one the download is given up. */
  readonly retryDelays?: readonly number[];
  /** After so many milliseconds without a byte the connection counts as dead. */
  readonly stallMilliseconds?: number;
  /** Bytes that the file has at most, or exactly; more are refused. Left out, 1 TiB. */
  readonly maxBytes?: number;
  /** Headers of every request; those that hold secrets do not follow a redirect to another host. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The network cannot be used, or the server cannot be reached through it. */
export class UnreachableError extends DeviceError {}

/**
 * Downloads a file. What an earlier call received of the same version of it is not transferred again, and the file
 * appears under its name only when its digest is right.
 *
 * @param url - its address, http or https
 * @param target - where to put it; directories are made. When it lies there already, nothing is transferred
 * @param digest - what it must be
 * @param options - progress, signal, patience
 * @throws InputError when the address is none, the server refuses, the digest is wrong (the download is then deleted),
 *   or the place cannot be written; UnreachableError when there is no connection; ResourceError when the disk is full;
 *   the signal's reason when it fires
 */
export async function download(
  url: string,
  target: string,
  digest: Digest,
  options: DownloadOptions,
): Promise<void> {
  checkAddress(url);
  try {
    makeFolders(dirname(target));
    if (await isThere(target, digest)) return;
    await rm(target, { force: true });
  } catch (error) {
    throw writeFailure(target, error);
  }
  await transferWithRetries(url, target, options);
  options.onProgress({ kind: 'verifying' });
  const partial = partialPath(target);
  const found = await hashFile(partial, digest.algorithm);
  options.signal.throwIfAborted();
  if (found !== digest.hex) {
    await discardPartial(target);
    throw new InputError({
      source: url,
      found: `${digestNames[digest.algorithm]} ${found}`,
      expected: digest.hex,
      hint: 'The download was deleted. Try again; if the checksum stays the same, the server has another file.',
    });
  }
  await rename(partial, target);
  await discardNote(target);
}

/** A server that cuts every connection after a byte or two is given up, too. */
const MAX_CONNECTIONS = 100;

const digestNames: Readonly<Record<FileDigest, string>> = { md5: 'MD5', sha256: 'SHA-256', git: 'git blob' };

async function isThere(target: string, digest: Digest): Promise<boolean> {
  const present = await access(target).then(
    () => true,
    () => false,
  );
  return present && (await hashFile(target, digest.algorithm)) === digest.hex;
}

async function transferWithRetries(url: string, target: string, options: DownloadOptions): Promise<void> {
  const { onProgress, signal, retryDelays = [1000, 2000, 4000, 8000], stallMilliseconds = 30_000 } = options;
  const { headers = {}, maxBytes = 2 ** 40 } = options;
  let furthest = 0;
  let failures = 0;
  for (let connections = 1; ; connections++) {
    const before = furthest;
    try {
      await transfer(url, target, {
        ...{ signal, stallMilliseconds, headers, maxBytes },
        onReceived: (received, total) => {
          furthest = Math.max(furthest, received);
          onProgress({ kind: 'receiving', received, total });
        },
      });
      return;
    } catch (error) {
      if (error instanceof TooLarge) await discardPartial(target);
      if (!(error instanceof ConnectionFailure)) throw error;
      // A connection that brought something new was not the same failure again, unless it crept.
      failures = furthest > before && !(error instanceof SlowConnection) ? 1 : failures + 1;
      const delay = connections < MAX_CONNECTIONS ? retryDelays[failures - 1] : undefined;
      if (delay === undefined) throw unreachable(url, error, connections, furthest);
      onProgress({ kind: 'waiting', reason: error.message, seconds: delay / 1000 });
      await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function unreachable(url: string, error: Error, tries: number, received: number): UnreachableError {
  const kept = received > 0 ? ' What was received is kept; the next attempt continues from there.' : '';
  return new UnreachableError(
    `${url}: no connection after ${tries} tries (${error.message})\nIs this machine on the network, and the server up?${kept}`,
    { cause: error },
  );
}

function checkAddress(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol) || parsed.username !== '')
    throw new InputError({
      source: 'the address of the download',
      found: url,
      expected: 'a URL that begins with http:// or https:// and has no user name in it',
    });
}
