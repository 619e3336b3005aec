import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Unpack, type ReadEntry } from 'tar';
import { InputError, messageOf } from '../base/errors.js';
import { codeOf, writeFailure } from '../base/write-failure.js';

/** The archive itself is of no use: damaged, or not what was expected. */
export class ArchiveError extends InputError {}

/** What an archive may hold when nothing else is said: five times the largest dataset. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/**
 * Unpacks chosen files of a tar archive, compressed or not. Everything else in it is left alone, links and directories
 * under the chosen names too, so that nothing is written but these files.
 *
 * @param archive - the archive
 * @param files - paths inside the archive, with forward slashes
 * @param directory - where they go, under the same paths; whatever was there before is deleted
 * @param signal - stops it: the file that is being written is still finished, no other is begun
 * @param maxBytes - how much the archive may hold, counted as it is decompressed: a few megabytes can hold gigabytes
 * @throws ArchiveError when the archive is damaged or holds more; InputError when the place cannot be written; DeviceError when the
 *   disk is full; the signal's reason when it fires
 */
export async function extractFiles(
  archive: string,
  files: readonly string[],
  directory: string,
  signal: AbortSignal,
  maxBytes = MAX_UNPACKED_BYTES,
): Promise<void> {
  const wanted = new Set(files);
  const failures: unknown[] = [];
  try {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const unpack = new Unpack({
      cwd: directory,
      // The user's own files, whoever packed the archive; root would get the packer's otherwise.
      preserveOwner: false,
      noMtime: true,
      // Warnings, not `strict`: that would return while files are still being written.
      onwarn: (_code, message, data) => failures.push(data instanceof Error ? data : new Error(message)),
      filter: (path, entry) =>
        !signal.aborted &&
        failures.length === 0 &&
        'type' in entry &&
        isFile(entry) &&
        wanted.has(path.replace(/^(\.\/)+/, '')),
    });
    await feed(unpack, await decompressed(archive), maxBytes);
  } catch (error) {
    failures.push(error);
  }
  signal.throwIfAborted();
  if (failures.length > 0) throw extractionFailure(archive, directory, failures[0]);
}

/** The bytes of the archive itself, whether it is compressed or not. */
async function decompressed(archive: string): Promise<Readable> {
  const file = await open(archive);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close());
  const packed = createReadStream(archive);
  if (buffer[0] !== 0x1f || buffer[1] !== 0x8b) return packed;
  const plain = createGunzip();
  packed.on('error', (error) => plain.destroy(error));
  plain.on('close', () => packed.destroy());
  return packed.pipe(plain);
}

/** Gives the archive to what unpacks it, no faster than the files are written: nothing piles up in memory. */
async function feed(unpack: Unpack, bytes: Readable, maxBytes: number): Promise<void> {
  const closed = once(unpack, 'close');
  // Awaited only at the end; until then an error is that of the loop.
  closed.catch(() => undefined);
  let total = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new Error(`more than ${maxBytes} bytes in it`);
    if (!unpack.write(chunk)) await Promise.race([once(unpack, 'drain'), closed]);
  }
  unpack.end();
  await closed;
}

function isFile({ type }: ReadEntry): boolean {
  return type === 'File' || type === 'OldFile' || type === 'ContiguousFile';
}

/** Errors of the file system have a system call; the others are about the archive. */
function extractionFailure(archive: string, directory: string, error: unknown): unknown {
  if (codeOf(error) !== undefined && error instanceof Error && 'syscall' in error)
    return writeFailure(directory, error);
  return new ArchiveError({ source: archive, found: messageOf(error), expected: 'a whole tar archive' });
}
