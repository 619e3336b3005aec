import { USUAL_RUNS } from '../analyst/task.js';
import { z } from 'zod';
import { historyMetrics } from '../../analysis/history/points.js';
import { MAX_BATCH } from '../../base/limits.js';
import type { ComparisonDocument } from '../../report/compare/document.js';
import type { HistoryDocument } from '../../report/history/document.js';
import type { ProcurementDocument } from '../../report/procure/document.js';
import { documentSchema, flagQuery, wholeQuery, word, type Contract } from './contract.js';
import { fragmentSchema } from './fragment.js';

/** Runs that can be compared at once. */
const MOST_COMPARED = 20;

export const compare = {
  method: 'GET',
  path: '/compare',
  role: 'read',
  summary: 'Runs, each compared with a reference, as by "edgeflex compare"',
  query: z.object({
    /** Two or more, separated by commas: ids, or names of baselines. */
    runs: z
      .string()
      .max(2000)
      .transform((text) => text.split(',').filter((each) => each !== ''))
      .pipe(z.array(word).min(2).max(MOST_COMPARED)),
    /** One of them; left out, the first. */
    reference: word.optional(),
    /** Also across machines, software versions or images; the differences are listed. */
    force: flagQuery,
  }),
  response: z
    .strictObject({
      /** Global ids. */
      reference: z.string(),
      comparisons: z.array(
        z.strictObject({
          run: z.string(),
          document: documentSchema<ComparisonDocument>(
            'Comparison',
            'What "edgeflex compare --format json" writes',
          ),
          /** The same in words: `comparisonFragment`. */
          words: fragmentSchema,
        }),
      ),
    })
    .meta({ id: 'Comparisons' }),
} as const satisfies Contract;

export const history = {
  method: 'GET',
  path: '/history',
  role: 'read',
  summary: 'The figures of a suite over its runs, with change points, as by "edgeflex history"',
  query: z.object({
    /** Left out: that of the newest run with this model on this device. */
    suite: word.optional(),
    model: word.optional(),
    device: word.optional(),
    /** A recipe. */
    variant: word.optional(),
    metric: z.enum(historyMetrics).optional(),
    /** `*` for all; left out, the default branch where there are runs of several. */
    branch: word.optional(),
    /** So many runs at most, the newest. */
    limit: wholeQuery(2, 1000, USUAL_RUNS),
  }),
  response: z
    .strictObject({
      suite: z.string(),
      /** Suites that have runs with this model on this device. */
      suites: z.array(z.string()),
      document: documentSchema<HistoryDocument>('History', 'What "edgeflex history --json" prints'),
      /** The same in words and charts: `historyFragment`. */
      words: fragmentSchema,
      /** Global ids of the runs that the document names. */
      ids: z.record(z.string(), z.string()),
      /** Older runs that were not looked at, for there are more than asked for. */
      older: z.number(),
    })
    .meta({ id: 'SuiteHistory' }),
} as const satisfies Contract;

export const procure = {
  method: 'POST',
  path: '/procure',
  role: 'read',
  summary:
    'Devices and variants that meet the constraints, ranked, as by "edgeflex procure"; it changes nothing',
  body: z.strictObject({
    /** Baselines or ids; left out, the newest runs that have figures. */
    runs: z.array(word).max(100).optional(),
    suite: word.optional(),
    batch: z.number().int().min(1).max(MAX_BATCH).optional(),
    limits: z
      .strictObject({
        /** Such as `30ms@p90`; without a quantile, the median. */
        latency: word.optional(),
        /** Such as `200MiB`. */
        memory: word.optional(),
        /** Such as `80%`. */
        accuracy: word.optional(),
        /** Such as `50/s`. */
        throughput: word.optional(),
        /** Such as `0.5J`. */
        energy: word.optional(),
      })
      .optional(),
    ownership: z
      .strictObject({
        years: z.number().positive().max(100),
        /** Of a kilowatt-hour, such as `0.32EUR`. */
        energyPrice: word,
        /** Either this or `utilisation`. */
        requestsPerDay: z.number().positive().optional(),
        peak: z.number().min(1).optional(),
        headroom: z.number().min(0).max(0.99).optional(),
        utilisation: z.number().gt(0).max(1).optional(),
      })
      .optional(),
    /** Such as `USD=0.86EUR`. */
    exchange: z.array(word).max(20).optional(),
    emulated: z.boolean().optional(),
  }),
  response: z
    .strictObject({
      document: documentSchema<ProcurementDocument>('Procurement', 'What "edgeflex procure --json" prints'),
      /** The same in words and charts: `procurementFragment`. */
      words: fragmentSchema,
      /** Runs that were looked at, by their global ids. */
      runs: z.array(z.string()),
    })
    .meta({ id: 'ProcurementAnswer' }),
} as const satisfies Contract;
