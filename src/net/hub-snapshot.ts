import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { cacheKey, type CacheKey } from '../cache/key.js';
import { cache } from '../cache/store.js';
import { download, type DownloadOptions, type DownloadProgress } from './download.js';
import { hubEndpoint, hubToken, type HubReference } from './hub-reference.js';
import { lookUp, type HubFile } from './hub-repository.js';
import { HubUnreachable } from './hub-unreachable.js';

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

const SETTINGS = /^(config|preprocessor_config|processor_config|open_clip_config|card)\.json$/;
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
  const { signal } = options;
  if (COMMIT.test(revision)) {
    const directory = await snapshotOf(repository, revision, signal);
    if (directory !== undefined) return { directory, commit: revision, offline: false };
  }
  const found = await lookUp(reference, signal).catch(async (error: unknown) => {
    if (!(error instanceof HubUnreachable)) throw error;
    const commit = await knownCommit(reference, signal);
    const directory = commit && (await snapshotOf(repository, commit, signal));
    if (commit === undefined || directory === undefined) throw error;
    return { directory, commit, offline: true };
  });
  if ('offline' in found) return found;
  const { commit, files } = found;
  const wanted = filesOf(reference, files);
  const directory =
    (await snapshotOf(repository, commit, signal)) ?? (await fetchFiles(repository, commit, wanted, options));
  if ((await knownCommit(reference, signal)) !== commit)
    await cache().make(
      revisionKey(reference),
      { title: `${repository}@${revision}`, replace: true, signal },
      () => Promise.resolve({ commit } satisfies z.infer<typeof revisionSchema>),
    );
  return { directory, commit, offline: false };
}

/** What a mirror says is kept apart from what others say. */
const snapshotKey = (repository: string, commit: string): CacheKey =>
  cacheKey('model', { hub: hubEndpoint(), repository, commit });

const revisionKey = ({ repository, revision }: HubReference): CacheKey =>
  cacheKey('model', { hub: hubEndpoint(), repository, revision });

const revisionSchema = z.object({ commit: z.string().regex(COMMIT) });

/** Where a snapshot lies that is whole. */
async function snapshotOf(
  repository: string,
  commit: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await cache().find(snapshotKey(repository, commit), signal))?.files;
}

/** The commit that a branch or a tag was when the Hub was last asked. */
async function knownCommit(reference: HubReference, signal: AbortSignal): Promise<string | undefined> {
  const entry = await cache().find(revisionKey(reference), signal);
  return revisionSchema.safeParse(entry?.facts).data?.commit;
}

/** @returns where the files lie */
async function fetchFiles(
  repository: string,
  commit: string,
  files: readonly HubFile[],
  options: SnapshotOptions,
): Promise<string> {
  const token = hubToken();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const entry = await cache().claim(snapshotKey(repository, commit), `${repository}@${commit.slice(0, 12)}`);
  try {
    for (const { path, bytes, digest } of files) {
      if (await entry.has(path)) continue;
      const name = path.split('/').map(encodeURIComponent).join('/');
      const url = `${hubEndpoint()}/${repository}/resolve/${commit}/${name}`;
      await download(url, entry.pathOf(path), digest, {
        ...{ ...options, headers, maxBytes: bytes },
        onProgress: (progress) => {
          options.onProgress({ ...progress, file: path });
        },
      });
      await entry.take(path);
    }
    await entry.seal();
  } finally {
    entry.release();
  }
  const directory = await snapshotOf(repository, commit, options.signal);
  if (directory === undefined) throw new Error(`${repository}@${commit} is not in the cache`);
  return directory;
}

/** The files of a model that are needed to load it. */
function filesOf({ repository, revision }: HubReference, files: readonly HubFile[]): HubFile[] {
  const named = (pattern: RegExp): HubFile[] => files.filter(({ path }) => pattern.test(path));
  const whole = named(/^model\.safetensors$/);
  const shards = named(/^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/);
  const others = named(/^[^/]+\.safetensors$/);
  const pickle = named(/^pytorch_model\.bin$/);
  const safe = whole.length > 0 ? whole : shards.length > 1 ? shards : others;
  const weights = safe.length > 0 ? safe : pickle;
  if (weights.length === 0)
    throw new InputError({
      source: repository,
      found: `no weights at revision ${revision} (${files.map(({ path }) => path).join(', ') || 'no files'})`,
      expected: 'model.safetensors or pytorch_model.bin',
      hint: 'If you trust it, convert it (safetensors.torch.save_file) and use the folder with its config.json as the model.',
    });
  return [...named(SETTINGS), ...weights];
}
