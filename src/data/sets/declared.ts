import { basename, dirname, resolve } from 'node:path';
import { listNamed, type Named } from '../../base/named.js';
import { checked, readYaml } from '../../base/schema.js';
import { declarationSchema, type Declaration } from './declaration.js';

/** The sets that are declared in files of their own, in `data/` or `suites/data/` of the working folder or of EdgeFlex. */
export function declaredSets(): readonly Named[] {
  return listNamed('data');
}

/**
 * Reads the declaration of a set.
 *
 * @param path - a YAML file; paths in it are relative to it
 * @throws InputError when it is no declaration
 */
export async function readDeclaration(path: string): Promise<Declaration> {
  const file = await readYaml(path, 'a declaration of images');
  const declared = checked(file, [], file.value, declarationSchema);
  return declarationFrom(declared, nameOf(path), path);
}

/**
 * A declaration whose paths are absolute.
 *
 * @param declared - as it is written
 * @param name - of the set
 * @param source - the file it stands in, which its paths are relative to
 */
export function declarationFrom(
  declared: Omit<Declaration, 'name' | 'source'>,
  name: string,
  source: string,
): Declaration {
  const beside = (path: string): string => resolve(dirname(source), path);
  return {
    ...declared,
    ...{ name, source },
    path: beside(declared.path),
    ...(typeof declared.labels === 'string' && { labels: beside(declared.labels) }),
  };
}

/**
 * A declaration whose path is that of the images: where it is that of another declaration, that one is read, and what is said beside the
 * path wins.
 *
 * @param declaration - as a suite or a command has it
 * @throws InputError when the other is no declaration
 */
export async function followed(declaration: Declaration): Promise<Declaration> {
  if (!/\.ya?ml$/i.test(declaration.path)) return declaration;
  const declared = await readDeclaration(declaration.path);
  return { ...declared, ...declaration, path: declared.path, source: declared.source };
}

/**
 * A name for a set that has none: that of its folder or file, as suites may write it.
 *
 * @param path - of the set
 */
export function nameOf(path: string): string {
  const plain = basename(resolve(path))
    .replace(/\.(ya?ml|csv|tsv|parquet|npz)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return plain === '' ? 'images' : plain;
}
