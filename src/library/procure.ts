import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { MAX_BATCH } from '../base/limits.js';
import {
  parseAccuracy,
  parseEnergy,
  parseLatency,
  parseMemory,
  parseThroughput,
  type Constraints,
} from '../analysis/procure/constraints.js';
import { decisionOf, qualifies, type Decision } from '../analysis/procure/decision.js';
import { parseEnergyPrice, parseExchangeRate } from '../analysis/procure/money.js';
import { atBatch, observeBatches, type ObservedBatches } from '../analysis/procure/observe.js';
import { procure as ranked, quantileOf, type Procurement } from '../analysis/procure/procurement.js';
import { procurementDocument, type ProcurementDocument } from '../report/procure/document.js';
import type { PrintFormat } from '../report/charts/print.js';
import { writeProcurement } from '../report/procure/write.js';
import { referenceRuns } from '../store/baselines.js';
import { hasFigures, runsOf } from '../store/newest.js';
import type { Db } from '../store/open.js';
import { findRun, listRuns, loadRun, type RunSummary, type StoredRun } from '../store/read.js';
import { readCatalogue } from './catalogue.js';
import { checkedOptions } from './options.js';
import { Remembered } from './remembered.js';
import { withResults, type Results } from './results.js';

/** What devices must keep to; each as the command line writes it. */
export interface ProcureLimits {
  /** A time and a quantile, such as `30ms@p90`; without one, the median. */
  readonly latency?: string | undefined;
  /** Peak above the runtime's base, such as `200MiB`. */
  readonly memory?: string | undefined;
  /** At least so many are right, such as `80%`. */
  readonly accuracy?: string | undefined;
  /** At least so many images a second, such as `50/s`. */
  readonly throughput?: string | undefined;
  /** For an image, such as `0.5J`. */
  readonly energy?: string | undefined;
}

/** Under what devices are owned: what their total cost follows from. */
export interface OwnershipTerms {
  readonly years: number;
  /** Of a kilowatt-hour, such as `0.32EUR`. */
  readonly energyPrice: string;
  /** Requests of one image a day, which a fleet bears; either this or `utilisation`. */
  readonly requestsPerDay?: number | undefined;
  /** How many times the mean rate the highest one is; 1 if left out. */
  readonly peak?: number | undefined;
  /** Share of its throughput that a device has left at the peak; 0.3 if left out. */
  readonly headroom?: number | undefined;
  /** Share of the time that a single device computes. */
  readonly utilisation?: number | undefined;
}

/** What is asked of stored runs. */
export interface ProcureOptions {
  /** Baselines, or beginnings of ids; left out, every run that has ended with something measured. */
  readonly runs?: readonly string[] | undefined;
  /** Only runs of this suite. */
  readonly suite?: string | undefined;
  /** A folder of device profiles with prices and power; left out, `devices/` and the built-in ones. */
  readonly devices?: string | undefined;
  /** Images of a query; 1 if left out. */
  readonly batch?: number | undefined;
  readonly limits?: ProcureLimits | undefined;
  /** Left out, devices are ranked by the price of each image a second. */
  readonly ownership?: OwnershipTerms | undefined;
  /** What currencies are worth, such as `USD=0.86EUR`. */
  readonly exchange?: readonly string[] | undefined;
  /** Rank emulated boards and software GPUs, too, whose timings say nothing of the hardware. */
  readonly emulated?: boolean | undefined;
}

/** At a load of 70 % a query waits for 1.17 others on average, at 90 % for 4.5: ρ / 2 (1 − ρ) of an M/D/1 queue. */
const HEADROOM = 0.3;

const text = z.string().min(1);

const optionsSchema = z.strictObject({
  runs: z.array(text).optional(),
  suite: text.optional(),
  devices: text.optional(),
  batch: z.number().int().positive().max(MAX_BATCH).default(1),
  limits: z
    .strictObject({
      latency: text.optional(),
      memory: text.optional(),
      accuracy: text.optional(),
      throughput: text.optional(),
      energy: text.optional(),
    })
    .default({}),
  ownership: z
    .strictObject({
      years: z.number().positive().max(100),
      energyPrice: text,
      requestsPerDay: z.number().positive().max(1e15).optional(),
      peak: z.number().min(1).max(1e6).optional(),
      headroom: z.number().min(0).max(0.99).optional(),
      utilisation: z.number().gt(0).max(1).optional(),
    })
    .refine(
      ({ requestsPerDay, utilisation }) => (requestsPerDay === undefined) !== (utilisation === undefined),
      'either requestsPerDay or utilisation',
    )
    .refine(
      ({ utilisation, peak, headroom }) => utilisation === undefined || (peak ?? headroom) === undefined,
      'peak and headroom only with requestsPerDay',
    )
    .optional(),
  exchange: z.array(text).default([]),
  emulated: z.boolean().default(false),
});

/** What to buy, and why. */
export class DeviceProcurement {
  /** @internal */
  constructor(
    /** @internal */
    readonly procurement: Procurement,
    /** Runs that are not part of it: they go on, were interrupted, or failed altogether. */
    readonly leftOut: readonly RunSummary[],
  ) {}

  /** @internal */
  get decision(): Decision {
    return decisionOf(this.procurement);
  }

  /** Whether anything meets every limit. */
  get qualifies(): boolean {
    return qualifies(this.decision);
  }

  /** The procurement for programs: the decision, and every candidate with its intervals. */
  get document(): ProcurementDocument {
    return procurementDocument(this.procurement);
  }

  /**
   * Writes a page that prints on one sheet, Markdown, CSV, JSON and the charts.
   *
   * @param directory - it is made where it is missing
   * @param options - whether files there that EdgeFlex did not write are replaced; formats of the charts beside SVG
   * @returns paths of the files, the page first
   * @throws InputError when the folder cannot be written; ResourceError when the disk is full
   */
  write(
    directory: string,
    options: { readonly force?: boolean; readonly charts?: readonly PrintFormat[] } = {},
  ): Promise<string[]> {
    return writeProcurement(this.procurement, directory, options);
  }
}

/**
 * Ranks devices and variants by what they cost, out of all stored runs: those that meet every limit, as far as their intervals tell.
 * Prices and power are read from the profiles now, whenever the runs were made.
 *
 * @param results - open, or their folder
 * @param options - limits, load, which runs
 * @throws InputError when there is no such run, nothing was timed at the batch size, a limit cannot be read, or prices are in currencies
 *   that no rate converts
 *
 * @example
 * ```ts
 * const { document, qualifies } = await procure('results', {
 *   limits: { latency: '30ms@p90', accuracy: '80%' },
 *   ownership: { years: 3, energyPrice: '0.32EUR', requestsPerDay: 200_000, peak: 4 },
 * });
 * if (qualifies) console.log(document.decision);
 * ```
 */
export async function procure(
  results: Results | string,
  options: ProcureOptions = {},
): Promise<DeviceProcurement> {
  return procureWith(results, options, new Remembered(0));
}

/**
 * What runs say of their variants on their devices, at every batch size: a question may be about another one next.
 *
 * @param db - the store
 * @param runs - their ids
 * @param quantile - which latency is told
 * @param remembered - what they have said so far
 * @param load - reads a run; left out, from the store
 * @returns in the order of the runs
 * @internal
 */
export function observedOfRuns(
  db: Db,
  runs: readonly string[],
  quantile: number,
  remembered: Remembered<ObservedBatches>,
  load = async (id: string): Promise<StoredRun> => loadRun(db, await findRun(db, id)),
): Promise<readonly ObservedBatches[]> {
  return remembered.ofAll(db, runs, observedQuestion(quantile), async (id) =>
    observeBatches(await load(id), quantile),
  );
}

/**
 * What `observedOfRuns` follows from beside the runs, as `Remembered` takes it.
 *
 * @param quantile - which latency is told
 * @internal
 */
export function observedQuestion(quantile: number): unknown {
  return { quantile };
}

/**
 * As `procure`, for whoever asks again and again: what runs that have ended say is found out once.
 *
 * @param remembered - what they have said so far
 * @internal
 */
export async function procureWith(
  results: Results | string,
  options: ProcureOptions,
  remembered: Remembered<ObservedBatches>,
): Promise<DeviceProcurement> {
  const asked = checkedOptions('procure', options, optionsSchema);
  const constraints = constraintsOf(asked.limits);
  const rates = asked.exchange.map(parseExchangeRate);
  const terms = asked.ownership && termsOf(asked.ownership);
  const catalogue = await readCatalogue(asked.devices);
  return withResults(results, { readonly: true }, async ({ db }) => {
    const { chosen, leftOut } = await chosenRuns(db, asked);
    const ids = chosen.map(({ id }) => id);
    const said = await observedOfRuns(db, ids, quantileOf(constraints), remembered);
    const observed = said.map((each) => atBatch(each, asked.batch));
    const found = ranked(observed, catalogue, {
      ...{ batch: asked.batch, constraints, terms, rates, emulatedToo: asked.emulated },
    });
    return new DeviceProcurement(found, leftOut);
  });
}

type Asked = z.output<typeof optionsSchema>;

function constraintsOf({ latency, memory, accuracy, throughput, energy }: Asked['limits']): Constraints {
  return {
    latency: latency === undefined ? undefined : parseLatency(latency),
    memory: memory === undefined ? undefined : parseMemory(memory),
    accuracy: accuracy === undefined ? undefined : parseAccuracy(accuracy),
    throughput: throughput === undefined ? undefined : parseThroughput(throughput),
    energy: energy === undefined ? undefined : parseEnergy(energy),
  };
}

function termsOf(asked: NonNullable<Asked['ownership']>): Procurement['terms'] {
  const { years, requestsPerDay, peak = 1, headroom = HEADROOM, utilisation } = asked;
  const energyPrice = parseEnergyPrice(asked.energyPrice);
  return {
    ...{ years, energyPrice },
    use:
      requestsPerDay === undefined
        ? { kind: 'utilisation', share: utilisation ?? 1 }
        : { kind: 'load', requestsPerDay, peak, headroom },
  };
}

/** A run that is looked at. */
interface ChosenRun {
  readonly id: string;
}

/** @returns the newest first */
async function chosenRuns(
  db: Db,
  { runs, suite }: Asked,
): Promise<{ readonly chosen: readonly ChosenRun[]; readonly leftOut: readonly RunSummary[] }> {
  if (runs !== undefined && runs.length > 0) {
    const named = new Map((await referenceRuns(db, runs, suite)).map((run) => [run.id, run]));
    const newestFirst = [...named.values()].sort((a, b) =>
      a.started_at === b.started_at ? (a.id < b.id ? 1 : -1) : a.started_at < b.started_at ? 1 : -1,
    );
    return { chosen: newestFirst, leftOut: [] };
  }
  const all = runsOf(await listRuns(db), suite);
  const leftOut = all.filter((run) => !hasFigures(run));
  const chosen = all.filter(hasFigures);
  if (chosen.length === 0)
    throw new InputError({
      source: 'procure',
      found: all.length === 0 ? 'no run' : 'no run that has ended with something measured',
      expected: 'at least one',
      hint: '"edgeflex run" measures; "edgeflex runs" lists what there is.',
    });
  return { chosen, leftOut };
}
