import { chartBehaviour } from './behaviour/charts.js';
import { linkBehaviour } from './behaviour/link.js';
import { scrollBehaviour } from './behaviour/scroll.js';
import { tableBehaviour } from './behaviour/table.js';

/** The page's own code: it needs no library but those of the charts, and nothing of it stands in an attribute. */
export const behaviour = [
  "'use strict';",
  linkBehaviour,
  chartBehaviour,
  tableBehaviour,
  scrollBehaviour,
].join('\n');
