import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** Which version of a file a server gave, as far as it said. */
const versionSchema = z.object({
  url: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** Bytes of the whole file. */
  total: z.number().int().nonnegative().optional(),
});

/** Which version of a file a server gave, as far as it said. */
export type RemoteVersion = z.infer<typeof versionSchema>;

/** What there is of a file that is being downloaded, and of which version of it. */
export interface PartialFile {
  readonly path: string;
  /** Bytes that are on the disk. */
  readonly received: number;
  /** Undefined when nothing is known, so that nothing can be appended. */
  readonly version: RemoteVersion | undefined;
}

/** Where the bytes of an unfinished download lie. */
export function partialPath(target: string): string {
  return `${target}.partial`;
}

function notePath(target: string): string {
  return `${target}.partial.json`;
}

/**
 * Looks at what an earlier call left of a download.
 *
 * @param target - where the whole file is to lie
 * @param url - its address; what came from another one does not count
 */
export async function readPartial(target: string, url: string): Promise<PartialFile> {
  const path = partialPath(target);
  const nothing = { path, received: 0, version: undefined };
  try {
    const version = versionSchema.parse(JSON.parse(await readFile(notePath(target), 'utf8')));
    return version.url === url ? { path, received: (await stat(path)).size, version } : nothing;
  } catch {
    // No note, or one that a crash left half: the bytes are worth nothing without it.
    return nothing;
  }
}

/**
 * Notes which version the bytes of a new download belong to. The file must be empty when it is called, so that a crash
 * in between never leaves old bytes under a new note.
 *
 * @throws the file system's error
 */
export async function notePartial(target: string, version: RemoteVersion): Promise<void> {
  await writeFile(notePath(target), JSON.stringify(version));
}

/** Deletes what there is of a download. */
export async function discardPartial(target: string): Promise<void> {
  await rm(partialPath(target), { force: true });
  await rm(notePath(target), { force: true });
}

/** Deletes the note of a download that is complete. */
export async function discardNote(target: string): Promise<void> {
  await rm(notePath(target), { force: true });
}
