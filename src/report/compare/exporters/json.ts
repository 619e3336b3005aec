import { comparisonDocument } from '../document.js';
import type { ComparisonExporter } from './exporter.js';

/** Every figure with its interval and verdict, for programs: see `ComparisonDocument`. */
export const jsonComparisonExporter: ComparisonExporter = {
  name: 'json',
  render: (report) => `${JSON.stringify(comparisonDocument(report), null, 2)}\n`,
};
