import { z } from 'zod';
import type { Fragment } from '../../report/fragments/fragment.js';

/** What is to be said of something, in the words and tables of its report: `src/report/fragments` makes it. */
export const fragmentSchema: z.ZodType<Fragment, Fragment> = z
  .strictObject({
    sections: z.array(
      z.strictObject({
        id: z.string(),
        title: z.string(),
        /** HTML without script, style and handlers; its charts are Vega-Lite specs within it. */
        html: z.string(),
      }),
    ),
  })
  .meta({ id: 'Fragment', description: 'Sections of a report as HTML, which the dashboard shows' });
