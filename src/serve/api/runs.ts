import { z } from 'zod';
import type { ReportDocument } from '../../report/document.js';
import {
  documentSchema,
  momentSchema,
  nextSchema,
  pageQuery,
  runParams,
  wholeQuery,
  word,
  type Contract,
} from './contract.js';
import { fragmentSchema } from './fragment.js';

/** How far a run is, as `edgeflex runs` says it. */
const runStates = ['running', 'unfinished', 'complete', 'partly failed', 'failed'] as const;

/** In which order runs are listed. */
const runOrders = ['newest', 'oldest', 'suite'] as const;

/** A run in a list. */
export const runSchema = z
  .strictObject({
    /** Global: the same in every store that the run is copied to. */
    id: z.string(),
    /** What the command line knows it by in this store, and what documents name it by. */
    name: z.string(),
    suite: z.string(),
    startedAt: momentSchema,
    endedAt: momentSchema.nullable(),
    state: z.enum(runStates),
    /** How many cells there are, and how far they are. */
    cells: z.strictObject({
      all: z.number(),
      done: z.number(),
      pending: z.number(),
      failed: z.number(),
      unsupported: z.number(),
    }),
    models: z.array(z.string()),
    devices: z.array(z.string()),
    /** Names that it has as a baseline. */
    labels: z.array(z.string()),
    /** Null outside a checkout, or where nobody knows it. */
    branch: z.string().nullable(),
    commit: z.string().nullable(),
    /** EdgeFlex's. */
    version: z.string(),
  })
  .meta({ id: 'Run' });

export const runs = {
  method: 'GET',
  path: '/runs',
  role: 'read',
  summary: 'Runs, the newest first, page by page',
  query: z.object({
    /** In the suite, the id, the command, the commit, a model or a device; upper or lower case. */
    search: word.optional(),
    status: z.enum(runStates).optional(),
    suite: word.optional(),
    model: word.optional(),
    device: word.optional(),
    /** A name that the run has as a baseline. */
    label: word.optional(),
    branch: word.optional(),
    /** Started at this moment or later, before this moment: a date or a moment, ISO 8601. */
    since: word.optional(),
    until: word.optional(),
    sort: z.enum(runOrders).default('newest'),
    ...pageQuery,
  }),
  response: z.strictObject({ runs: z.array(runSchema), next: nextSchema }).meta({ id: 'Runs' }),
} as const satisfies Contract;

/** What a cell is: one variant on one device in one scenario. */
export const cellSchema = z
  .strictObject({
    /** The same in every store. */
    id: z.string(),
    model: z.string(),
    recipe: z.string(),
    device: z.string(),
    kind: z.enum(['accuracy', 'performance', 'kernels', 'server', 'offline']),
    batch: z.number(),
    /** Of a server's p99, in milliseconds. */
    boundMilliseconds: z.number().nullable(),
    tier: z.string().nullable(),
    state: z.enum(['pending', 'done', 'failed', 'unsupported']),
    /** Rounds that are planned, and that are there. */
    rounds: z.number(),
    measured: z.number(),
    /** Why it failed or is not supported, in words; null otherwise. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'Cell' });

/** Something to know about a run, in words. */
const warningSchema = z
  .strictObject({
    kind: z.enum(['failed', 'unsupported', 'other form', 'emulated', 'synthetic', 'unsteady']),
    /** Which cell; null where it is about the run. */
    cell: z.string().nullable(),
    text: z.string(),
  })
  .meta({ id: 'Warning' });

/** A device of a run. */
const runDeviceSchema = z.strictObject({
  name: z.string(),
  threads: z.number(),
  processor: z.string(),
  emulated: z.boolean(),
});

export const run = {
  method: 'GET',
  path: '/runs/:id',
  role: 'read',
  summary: 'A run: its cells and how far each is, its devices, what to know about it',
  params: runParams,
  response: z
    .strictObject({
      run: runSchema,
      command: z.string(),
      seed: z.number(),
      /** What it was scored on. */
      data: z.strictObject({ name: z.string(), testImages: z.number() }),
      devices: z.array(runDeviceSchema),
      cells: z.array(cellSchema),
      warnings: z.array(warningSchema),
    })
    .meta({ id: 'RunDetails' }),
} as const satisfies Contract;

export const analysis = {
  method: 'GET',
  path: '/runs/:id/analysis',
  role: 'read',
  summary: 'Every figure of a run, as report.json holds them',
  params: runParams,
  response: documentSchema<ReportDocument>(
    'Report',
    'What report.json holds: docs/reference/report.schema.json',
  ),
} as const satisfies Contract;

export const report = {
  method: 'GET',
  path: '/runs/:id/report',
  role: 'read',
  summary: 'The report of a run in words, tables and charts, as report.html shows it',
  params: runParams,
  /** `runFragment`. */
  response: fragmentSchema,
} as const satisfies Contract;

export const environment = {
  method: 'GET',
  path: '/runs/:id/environment',
  role: 'read',
  summary: 'What the devices of a run were at the time',
  params: runParams,
  response: z
    .strictObject({
      devices: z.array(
        z.strictObject({
          name: z.string(),
          threads: z.number(),
          /** Processor, memory, operating system, versions: as `edgeflex devices describe` has it. */
          environment: z.record(z.string(), z.unknown()),
        }),
      ),
    })
    .meta({ id: 'Environments' }),
} as const satisfies Contract;

/** Most points of a round that are asked for at once. */
const MOST_POINTS = 5000;

export const samples = {
  method: 'GET',
  path: '/runs/:id/cells/:cell/samples',
  role: 'read',
  summary: 'The timed queries of a cell, round by round, thinned out where there are more than asked for',
  params: z.object({ id: word, cell: word }),
  query: z.object({
    /** So many points of each round at most: of each stretch of queries the shortest and the longest, so that no outlier is lost. */
    points: wholeQuery(2, MOST_POINTS, 1000),
  }),
  response: z
    .strictObject({
      cell: cellSchema,
      rounds: z.array(
        z.strictObject({
          round: z.number(),
          startedAt: momentSchema,
          /** How many queries were timed. */
          queries: z.number(),
          /** Whether points were left out. */
          thinned: z.boolean(),
          /** Numbers of the queries that are given, and how long each took. */
          query: z.array(z.number()),
          milliseconds: z.array(z.number()),
        }),
      ),
    })
    .meta({ id: 'Samples' }),
} as const satisfies Contract;
