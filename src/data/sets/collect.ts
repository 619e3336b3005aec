import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { foundBy, InputError } from '../../base/errors.js';
import { collectArrays } from './arrays.js';
import { collectCifar } from './cifar.js';
import type { Collected, OpenOptions } from './collected.js';
import type { Declaration } from './declaration.js';
import { collectFolder } from './folder.js';
import { layoutOf } from './layout.js';
import { collectLists } from './list.js';
import { collectParquet } from './parquet.js';

/**
 * Finds the images of a declared set.
 *
 * @param declaration - what a user said of it
 * @param options - progress and signal, where images must be unpacked
 * @throws InputError when there are none of that layout, or their classes or splits cannot be used; the signal's reason when it fires
 */
export async function collect(declaration: Declaration, options: OpenOptions = {}): Promise<Collected> {
  const { path } = declaration;
  await stat(path).catch((error: unknown) => {
    throw new InputError({
      source: path,
      found: foundBy(error),
      expected: expectedOf(declaration),
    });
  });
  switch (await layoutOf(declaration)) {
    case 'folder':
      return collectFolder(declaration);
    case 'lists':
      return collectLists(declaration);
    case 'parquet':
      return collectParquet(declaration, options);
    case 'cifar':
      return collectCifar(declaration);
    case 'arrays':
      return collectArrays(declaration, options);
  }
}

/** What belongs at the path of a declaration; the file that declares it is named unless it is only about to be written. */
function expectedOf({ path, source }: Declaration): string {
  if (source === path) return 'images, or a file that declares them';
  return existsSync(source) ? `the images that ${source} declares` : 'images';
}
