import type { Embed } from './charts.js';
import { enliven } from './enliven.js';

/** The library, whose script stands before this one. */
declare const vegaEmbed: Embed;

// The code of a report's page: it needs no library but those of the charts, and nothing of it stands in an attribute.
void enliven({ embed: () => Promise.resolve(vegaEmbed) });
