import { copyFile, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { foundBy, InputError } from './errors.js';
import { exchangeFolders, isThere, leftoversOf, restoreOutput, temporaryName } from './exchange.js';
import { makeFolders } from './folder.js';
import { hashFile } from './hash.js';
import { isGone } from './process.js';
import { codeOf, writeFailure } from './write-failure.js';

/** In a folder: which of its files EdgeFlex wrote, and the SHA-256 of what it wrote; two while one is being replaced. */
const MANIFEST = '.edgeflex-output.json';

const manifestSchema = z.object({ files: z.record(z.string(), z.array(z.string())) });

/** What EdgeFlex wrote into a folder: digests by the files' names. */
type Written = Readonly<Record<string, readonly string[]>>;

/** What a file is to hold: a text, bytes, or what another file holds. */
export type OutputContent = string | Uint8Array | { readonly copyOf: string };

/** How an output may be written. */
export interface OutputOptions {
  /** Files and folders that were read to make it: never replaced or removed, forced or not. */
  readonly inputs?: readonly string[];
  /** Whether files that EdgeFlex did not write are replaced, too. */
  readonly force?: boolean;
  /** Names that only EdgeFlex gives in this folder: such files are ours, also where an older version has left no list of them. */
  readonly own?: (name: string) => boolean;
  /** Whether the files come beside those of earlier outputs, which stay; left out, they take their place. */
  readonly adds?: boolean;
}

/**
 * Writes files into a folder: all of them or none. They are written beside the folder first, with all that reaches the disk, and
 * take their names only then; whoever is killed, or has no room, before that leaves what was there. Files that an earlier
 * output has left and this one has not go, unless it adds to them; one of them that was read, or modified since, is refused like one that would be
 * replaced. A folder in which nothing else lies is exchanged as a whole.
 *
 * @param folder - it is made if it is not there
 * @param files - by their names within it
 * @param options - what must not be replaced
 * @throws InputError when the folder cannot be written, or a file would be replaced or removed that was read or that EdgeFlex did not
 *   write; ResourceError when the disk is full
 */
export async function writeOutputs(
  folder: string,
  files: ReadonlyMap<string, OutputContent>,
  options: OutputOptions = {},
): Promise<void> {
  const target = await placeOf(folder);
  const staging = temporaryName(target);
  try {
    restoreOutput(target);
    const written = await readManifest(target);
    await refuseForeign(target, files.keys(), written, options);
    await removeLeftovers(target);
    makeFolders(dirname(target));
    await stage(staging, files);
    if (options.adds === true && isThere(target)) await moveInto(staging, target, written, written, []);
    else await replaceFiles(staging, target, written, files, options);
    await syncFolder(dirname(target));
  } catch (error) {
    throw outputFailure(error, folder);
  } finally {
    // Where nothing could be written nothing is to be removed; why is what the caller must hear.
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Writes a file: as a whole or not at all.
 *
 * @param path - of the file; its folder is made if it is not there
 * @param content - what it is to hold
 * @param options - what must not be replaced
 * @throws as `writeOutputs`
 */
export async function writeOutput(
  path: string,
  content: OutputContent,
  options: OutputOptions = {},
): Promise<void> {
  const target = await placeOf(path);
  // A pipe or a device is written to, and nothing can be put in its place.
  const kind = await stat(target).catch(() => undefined);
  const temporary = temporaryName(target);
  try {
    if (kind !== undefined && !kind.isFile() && !kind.isDirectory()) {
      const handle = await open(target, 'w');
      try {
        await handle.writeFile(isCopy(content) ? await readFile(content.copyOf) : content);
      } finally {
        await handle.close();
      }
      return;
    }
    const written = await readManifest(dirname(target));
    await refuseForeign(dirname(target), [basename(target)], written, { ...options, adds: true });
    makeFolders(dirname(target));
    await put(temporary, content);
    const digest = await hashFile(temporary);
    await rename(temporary, target);
    await putManifest(dirname(target), { ...written, [basename(target)]: [digest] });
    await syncFolder(dirname(target));
  } catch (error) {
    throw outputFailure(error, path);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Puts an output in the place of an earlier one. */
async function replaceFiles(
  staging: string,
  target: string,
  written: Written,
  files: ReadonlyMap<string, OutputContent>,
  { own = () => false }: OutputOptions,
): Promise<void> {
  const present = await namesIn(target);
  const earlier = [...Object.keys(written), ...(present ?? []).filter(own)];
  const ours = new Set([...earlier, ...files.keys(), MANIFEST]);
  const isWhole = present?.every((name) => ours.has(name)) === true;
  // A folder that somebody stands in must stay the one it is.
  if (present === undefined || (isWhole && target !== process.cwd())) exchangeFolders(staging, target);
  else
    await moveInto(
      staging,
      target,
      written,
      {},
      earlier.filter((name) => !files.has(name)),
    );
}

/** Where an output lies: a link to it stays one. */
async function placeOf(output: string): Promise<string> {
  return realpath(output).catch(() => resolve(output));
}

/** Writes all files of a folder, and the list of them, with all that reaches the disk. */
async function stage(folder: string, files: ReadonlyMap<string, OutputContent>): Promise<void> {
  const digests: Record<string, readonly string[]> = {};
  await mkdir(folder);
  for (const [name, content] of files) {
    const path = join(folder, name);
    makeFolders(dirname(path));
    await put(path, content);
    digests[name] = [await hashFile(path)];
  }
  await putManifest(folder, digests);
  await syncFolder(folder);
}

async function put(path: string, content: OutputContent): Promise<void> {
  if (isCopy(content)) await copyFile(content.copyOf, path);
  const handle = await open(path, isCopy(content) ? 'r+' : 'w');
  try {
    if (!isCopy(content)) await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCopy(content: OutputContent): content is { readonly copyOf: string } {
  return typeof content === 'object' && 'copyOf' in content;
}

async function putManifest(folder: string, files: Written): Promise<void> {
  const temporary = join(folder, `${MANIFEST}.${process.pid}`);
  await put(temporary, `${JSON.stringify({ files }, null, 2)}\n`);
  await rename(temporary, join(folder, MANIFEST));
}

/** Digests of what EdgeFlex wrote into a folder, by name; none where it wrote nothing, or the list is none of ours. */
async function readManifest(folder: string): Promise<Written> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'))).files;
  } catch {
    return {};
  }
}

/**
 * Refuses to write files where they would replace or remove what must stay, before work is spent on them.
 *
 * @param folder - where they would go
 * @param names - within it
 * @param options - what must not be replaced
 * @throws InputError that names the file
 */
export async function refuseReplacing(
  folder: string,
  names: Iterable<string>,
  options: OutputOptions,
): Promise<void> {
  await refuseForeign(resolve(folder), names, await readManifest(resolve(folder)), options);
}

async function refuseForeign(
  folder: string,
  names: Iterable<string>,
  written: Written,
  { inputs = [], force = false, own = () => false, adds = false }: OutputOptions,
): Promise<void> {
  // What an earlier output has left goes unless this one adds to it.
  const going = adds ? names : new Set([...names, ...Object.keys(written)]);
  const read = await Promise.all(inputs.map((input) => realpath(input).catch(() => resolve(input))));
  for (const name of going) {
    const path = join(folder, name);
    const there = await realpath(path).catch(() => undefined);
    if (there === undefined) continue;
    if (read.some((input) => there === input || there.startsWith(input + sep)))
      throw new InputError({
        source: path,
        found: 'an input of this command',
        expected: 'another place for the output',
        hint: 'Choose another folder or file.',
      });
    const digests = written[name];
    const ours = own(name) || digests?.includes(await hashFile(path)) === true;
    if (ours || force) continue;
    throw new InputError({
      source: path,
      found:
        digests === undefined
          ? 'a file that EdgeFlex did not write'
          : 'a file that was modified since EdgeFlex wrote it',
      expected: 'nothing, or an earlier output',
      hint: 'Choose another place, or overwrite it with --force.',
    });
  }
}

/** Names of the files in a folder and those below it; undefined when it is not there. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Moves files into a folder that holds others' files, too: each whole, one after the other.
 *
 * @param written - what earlier outputs have left there
 * @param kept - what of that stays
 * @param stale - names of what goes
 */
async function moveInto(
  staging: string,
  target: string,
  written: Written,
  kept: Written,
  stale: readonly string[],
): Promise<void> {
  const fresh = await readManifest(staging);
  // All that is about to be there is listed first: whoever is killed half way can write it again.
  const both = Object.entries(fresh).map(([name, digests]) => [name, [...(written[name] ?? []), ...digests]]);
  await putManifest(target, { ...written, ...(Object.fromEntries(both) as Written) });
  // Where one has no place to go to none goes.
  for (const name of Object.keys(fresh)) makeFolders(dirname(join(target, name)));
  for (const name of Object.keys(fresh)) await rename(join(staging, name), join(target, name));
  await putManifest(target, { ...kept, ...fresh });
  for (const name of stale) await rm(join(target, name), { force: true });
}

/** What killed processes have left beside a folder. */
async function removeLeftovers(target: string): Promise<void> {
  const beginning = leftoversOf(target);
  for (const name of await readdir(dirname(target)).catch(() => [])) {
    if (!name.startsWith(beginning)) continue;
    const pid = Number(name.slice(beginning.length).split('-')[0]);
    if (Number.isInteger(pid) && pid > 0 && isGone(pid))
      await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function outputFailure(error: unknown, source: string): unknown {
  if (codeOf(error) === undefined || error instanceof InputError) return error;
  const failure = writeFailure(source, error, {
    kept: 'Existing files were not changed.',
    hint: 'Choose another one.',
  });
  if (failure !== error) return failure;
  return new InputError({ source, found: foundBy(error), expected: 'a place that can be written' });
}
