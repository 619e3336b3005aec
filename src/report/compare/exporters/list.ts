import type { ComparisonExporter } from './exporter.js';
import { githubExporter } from './github.js';
import { jsonComparisonExporter } from './json.js';
import { junitExporter } from './junit.js';
import { markdownComparisonExporter } from './markdown.js';
import { terminalExporter } from './terminal.js';

/** The formats a comparison is shown in; the first is the one for people at a terminal. */
export const comparisonExporters: readonly [ComparisonExporter, ...ComparisonExporter[]] = [
  terminalExporter,
  markdownComparisonExporter,
  jsonComparisonExporter,
  junitExporter,
  githubExporter,
];
