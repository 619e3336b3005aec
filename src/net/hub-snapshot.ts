import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { cacheDirectory } from '../base/paths.js';
import { download, type DownloadOptions, type DownloadProgress } from './download.js';
import { withLock } from '../cache/lock.js';
import { writeFailure } from '../base/write-failure.js';
import { hubEndpoint, hubToken, type HubReference } from './hub-reference.js';
import { HubUnreachable, lookUp, type HubFile } from './hub-repository.js';

/** How far a model's download is, and of which file. */
export type SnapshotProgress = DownloadProgress & { readonly file: string };

/** How a model is fetched. */
export interface SnapshotOptions extends Omit<DownloadOptions, 'onProgress' | 'headers'> {
  readonly onProgress: (progress: SnapshotProgress) => void;
}

/** A model of the Hub on this machine. */
export interface Snapshot {
  readonly directory: string;
  /** The commit that the revision was, or is known to have been. */
  readonly commit: string;
  /** Whether the Hub was out of reach, so that the revision was looked up in the cache. */
  readonly offline: boolean;
}

const SETTINGS = /^(config|preprocessor_config|card)\.json$/;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Gets a model of the Hub into the cache: the settings and the safetensors files of one commit, each verified and under its
 * name only when it is whole. What is there already is not fetched again, an interrupted download goes on, and a commit that
 * is complete needs no network.
 *
 * @param reference - the model; a branch or tag is pinned to the commit it is now
 * @param options - progress, signal, patience
 * @throws InputError when there is no such model, it has no safetensors, or a sum is wrong; DeviceError without a connection,
 *   with a full disk, or when another process fetches the same; the signal's reason when it fires
 */
export async function fetchSnapshot(reference: HubReference, options: SnapshotOptions): Promise<Snapshot> {
  const { repository, revision } = reference;
  const home = join(cacheDirectory(), 'hub', repository.replace('/', '--'));
  const ref = join(home, 'refs', encodeURIComponent(revision));
  const completeIn = (commit: string): string | undefined => {
    const directory = join(home, commit);
    return existsSync(join(directory, COMPLETE)) ? directory : undefined;
  };
  if (COMMIT.test(revision)) {
    const directory = completeIn(revision);
    if (directory !== undefined) return { directory, commit: revision, offline: false };
  }
  const found = await lookUp(reference, options.signal).catch(async (error: unknown) => {
    if (!(error instanceof HubUnreachable)) throw error;
    const commit = await readFile(ref, 'utf8').catch(() => '');
    const directory = completeIn(commit);
    if (directory === undefined) throw error;
    return { directory, commit, offline: true };
  });
  if ('offline' in found) return found;
  const { commit, files } = found;
  const wanted = filesOf(reference, files);
  const directory = join(home, commit);
  if (completeIn(commit) === undefined)
    await withLock(join(home, `${commit}.lock`), () =>
      fetchFiles(repository, commit, wanted, directory, options),
    );
  try {
    await mkdir(join(home, 'refs'), { recursive: true });
    await writeFile(ref, commit);
  } catch (error) {
    throw writeFailure(ref, error);
  }
  return { directory, commit, offline: false };
}

/** Lies beside a commit's files when all of them are there. */
const COMPLETE = '.complete';

async function fetchFiles(
  repository: string,
  commit: string,
  files: readonly HubFile[],
  directory: string,
  options: SnapshotOptions,
): Promise<void> {
  const token = hubToken();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  for (const { path, digest } of files) {
    const url = `${hubEndpoint()}/${repository}/resolve/${commit}/${encodeURIComponent(path)}`;
    await download(url, join(directory, path), digest, {
      ...{ ...options, headers },
      onProgress: (progress) => {
        options.onProgress({ ...progress, file: path });
      },
    });
  }
  await writeFile(join(directory, COMPLETE), '');
}

/** The files of a model that are needed to load it. */
function filesOf({ repository, revision }: HubReference, files: readonly HubFile[]): HubFile[] {
  const named = (pattern: RegExp): HubFile[] => files.filter(({ path }) => pattern.test(path));
  const whole = named(/^model\.safetensors$/);
  const shards = named(/^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/);
  const others = named(/\.safetensors$/);
  const weights = whole.length > 0 ? whole : shards.length > 1 ? shards : others;
  const pickle = named(/\.(bin|pt|pth|pkl|ckpt)$/)[0];
  if (weights.length === 0)
    throw new InputError({
      source: repository,
      found: pickle
        ? `${pickle.path}, a pickle, which can run any code when it is read, and no safetensors`
        : `no weights at revision ${revision} (${files.map(({ path }) => path).join(', ') || 'no files'})`,
      expected: 'model.safetensors',
      hint: 'Convert it where you trust it (safetensors.torch.save_file), and give the folder with its config.json as the model.',
    });
  return [...named(SETTINGS), ...weights];
}
