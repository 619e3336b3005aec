import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../base/paths.js';

/** A library as a page carries it. */
export interface Library {
  readonly name: string;
  readonly code: string;
  /** Its licence, which whoever passes the code on must pass on with it. */
  readonly licence: string;
}

/** Libraries that draw the charts, each after those it needs. */
const names = ['vega', 'vega-lite', 'vega-embed'] as const;

/**
 * The libraries that draw the charts in a page, from where they are installed.
 *
 * @throws the file system's error when one is not installed as it should be
 */
export async function chartLibraries(): Promise<Library[]> {
  const require = createRequire(import.meta.url);
  return Promise.all(
    names.map(async (name) => {
      const build = dirname(require.resolve(name));
      return {
        name,
        code: scriptText(await readFile(join(build, `${name}.min.js`), 'utf8')),
        licence: await readFile(join(build, '..', 'LICENSE'), 'utf8'),
      };
    }),
  );
}

/**
 * The page's own code, bundled from `src/report/behaviour`.
 *
 * @throws the file system's error when the package is not built
 */
export async function behaviour(): Promise<string> {
  return scriptText(await readFile(join(packageRoot(), 'dist', 'report', 'behaviour.js'), 'utf8'));
}

/** Code as it can stand in a script element; in strings and patterns of JavaScript `<\/` is `</`. */
function scriptText(code: string): string {
  if (/<!--|<script/i.test(code)) throw new Error('a library holds what cannot stand in a script element');
  return code.replaceAll('\r\n', '\n').replace(/<\/(?=script)/gi, () => '<\\/');
}
