import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { InputError } from '../base/errors.js';
import { isWithin, packageRoot } from '../base/paths.js';
import type { Suite } from '../suite/read.js';

/** What stands for the folder of the installed package, which lies elsewhere on every machine. */
const PACKAGE = 'edgeflex:';

/**
 * A suite as JSON that another machine can run: what comes with EdgeFlex is found there wherever EdgeFlex lies; other paths are those of
 * a folder that both see.
 *
 * @param suite - read
 */
export function portableSuite(suite: Suite): object {
  return mapTexts(JSON.parse(JSON.stringify(suite)), (text) =>
    isAbsolute(text) && isWithin(packageRoot(), text)
      ? PACKAGE + relative(packageRoot(), text).replaceAll(sep, '/')
      : text,
  ) as object;
}

/**
 * A suite as it is run here.
 *
 * @param portable - what `portableSuite` gave, in the same version of EdgeFlex
 * @param devices - profiles of the devices that it is run on
 * @throws InputError when a file of a model is not there on this machine
 */
export function suiteFrom(portable: object, devices: readonly string[]): Suite {
  const local = mapTexts(portable, (text) =>
    text.startsWith(PACKAGE) ? join(packageRoot(), text.slice(PACKAGE.length)) : text,
  ) as Suite;
  for (const model of local.models)
    if (model.kind === 'path' && !existsSync(model.path))
      throw new InputError({
        source: `model ${model.name}`,
        found: `no ${model.path} on this machine`,
        expected: 'a model that every worker can reach',
        hint: 'Put it into a folder that all machines see, or name one of the Hugging Face Hub.',
      });
  return { ...local, devices };
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, change)]));
}
