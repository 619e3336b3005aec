import { installedVersion } from '../../base/paths.js';
import { figureColumns } from '../figures/columns.js';
import { figureRows } from '../figures/rows.js';
import { parquetBytes } from '../parquet/file.js';
import type { Exporter } from './exporter.js';

/** Every figure of a run, typed, with the units of the columns in the file's metadata: see `figureRows`. */
export const parquetExporter: Exporter<Uint8Array> = {
  name: 'parquet',
  extension: 'parquet',
  render: (analysis) =>
    parquetBytes(
      { name: 'figures', columns: figureColumns, version: installedVersion() },
      figureRows(analysis),
    ),
};
