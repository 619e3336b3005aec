import { rm, mkdir } from 'node:fs/promises';
import { extract, type ReadEntry } from 'tar';
import { InputError, messageOf } from '../base/errors.js';
import { codeOf, writeFailure } from '../base/write-failure.js';

/** The archive itself is of no use: damaged, or not what was expected. */
export class ArchiveError extends InputError {}

/**
 * Unpacks chosen files of a tar archive, compressed or not. Everything else in it is left alone, links and directories
 * under the chosen names too, so that nothing is written but these files.
 *
 * @param archive - the archive
 * @param files - paths inside the archive, with forward slashes
 * @param directory - where they go, under the same paths; whatever was there before is deleted
 * @param signal - stops it: the file that is being written is still finished, no other is begun
 * @throws ArchiveError when the archive is damaged; InputError when the place cannot be written; DeviceError when the
 *   disk is full; the signal's reason when it fires
 */
export async function extractFiles(
  archive: string,
  files: readonly string[],
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(files);
  const failures: unknown[] = [];
  try {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await extract({
      file: archive,
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
  } catch (error) {
    failures.push(error);
  }
  signal.throwIfAborted();
  if (failures.length > 0) throw extractionFailure(archive, directory, failures[0]);
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
