import { csvExporter } from './csv.js';
import type { Exporter } from './exporter.js';
import { htmlExporter } from './html.js';
import { jsonExporter } from './json.js';
import { latexExporter } from './latex.js';
import { markdownExporter } from './markdown.js';
import { parquetExporter } from './parquet.js';

type AnyExporter = Exporter<string | Uint8Array>;

/** The formats that EdgeFlex brings: a line each. */
const builtIn: readonly AnyExporter[] = [
  htmlExporter,
  markdownExporter,
  latexExporter,
  csvExporter,
  parquetExporter,
  jsonExporter,
];

const exporters = [...builtIn];

/** The formats a report is written in. */
export function allExporters(): readonly AnyExporter[] {
  return exporters;
}

/**
 * Makes a format one that reports are written in.
 *
 * @param exporter - the format
 * @throws RangeError when another has its name or its extension
 */
export function registerExporter(exporter: AnyExporter): void {
  const { name, extension } = exporter;
  if (exporters.some((each) => each.name === name || each.extension === extension))
    throw new RangeError(`there is a format called ${name} or with the extension .${extension} already`);
  if (!/^[a-z0-9]+([.-][a-z0-9]+)*$/i.test(extension))
    throw new RangeError(`"${extension}" is no extension of a file`);
  exporters.push(exporter);
}
