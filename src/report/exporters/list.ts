import { csvExporter } from './csv.js';
import type { Exporter } from './exporter.js';
import { htmlExporter } from './html.js';
import { jsonExporter } from './json.js';
import { markdownExporter } from './markdown.js';

/** The formats a report is written in. */
export const exporters: readonly Exporter[] = [htmlExporter, markdownExporter, csvExporter, jsonExporter];
