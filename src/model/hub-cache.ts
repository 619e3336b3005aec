import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';

/**
 * The files of a model as the Hub's own library keeps them (`models--owner--name`): a folder for each commit that was fetched, of which
 * `refs/main` names the newest.
 *
 * @param folder - any
 * @returns the folder of the commit that `main` was, or of the only one; undefined for a folder that is no such cache
 * @throws InputError when several commits are there and nothing says which is meant
 */
export async function snapshotIn(folder: string): Promise<string | undefined> {
  const snapshots = join(folder, 'snapshots');
  if (!existsSync(snapshots) || !(existsSync(join(folder, 'refs')) || existsSync(join(folder, 'blobs'))))
    return undefined;
  const commits = (await readdir(snapshots)).filter((name) => !name.startsWith('.')).sort();
  const main = await readFile(join(folder, 'refs', 'main'), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  const [only, another] = commits;
  const chosen =
    main !== undefined && commits.includes(main) ? main : another === undefined ? only : undefined;
  if (chosen !== undefined) return join(snapshots, chosen);
  throw new InputError({
    source: folder,
    place: 'snapshots',
    found:
      commits.length === 0
        ? 'none'
        : `${commits.length}, and no refs/main that names one: ${commits.join(', ')}`,
    expected: 'the files of one commit',
    hint: 'Name the folder of a commit, below snapshots.',
  });
}
