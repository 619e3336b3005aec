import type { CellFailure } from '../../protocol/failure.js';
import { exactly, quotient } from '../../stats/arithmetic.js';
import type { Estimate } from '../../stats/interval.js';
import type { Gathered } from './gather.js';
import { testsOf, together, type Answer, type Tests } from './limits.js';
import type { Constraints } from './constraints.js';
import { converted } from './money.js';
import type { ExchangeRate, Offer } from './offer.js';
import { ownershipOf, type Ownership, type Terms } from './ownership.js';

/** Something that is not known of a candidate, although it was asked about. */
export type Missing =
  /** No profile of the catalogue has the device's name. */
  | { readonly kind: 'not in the catalogue' }
  /** Another machine has been measured under the name since, to which the catalogue is taken to refer. */
  | { readonly kind: 'another machine'; readonly hardware: string }
  | { readonly kind: 'no price' }
  /** Nobody says when it cost that. */
  | { readonly kind: 'no date of the price' }
  /** Neither measured nor stated. */
  | { readonly kind: 'no power' }
  | { readonly kind: 'no idle power' }
  | { readonly kind: 'not timed'; readonly batch: number }
  | { readonly kind: 'one round' }
  | { readonly kind: 'disturbed' }
  | { readonly kind: 'no accuracy'; readonly unscorable: boolean }
  | { readonly kind: 'no memory' }
  /** It was under load, and a round found no rate at which the p99 keeps to the bound, in milliseconds. */
  | { readonly kind: 'no rate'; readonly bound: number }
  | { readonly kind: 'failed'; readonly reason: CellFailure };

/** A variant on a device, and what a buyer wants to know of it. */
export interface Candidate {
  /** As the catalogue calls it. */
  readonly device: string;
  /** As tables call it: an emulator, software GPU or a second machine of the same name is marked. */
  readonly deviceLabel: string;
  readonly hardware: string;
  readonly emulated: boolean;
  readonly model: string;
  readonly recipe: string;
  /** The recipe, after the model's name where there are several models. */
  readonly variant: string;
  /** Of the timing, of the accuracy and of the rate; `older` ones do not count. */
  readonly runs: {
    readonly timed: string;
    readonly scored: string | undefined;
    readonly served: string | undefined;
    readonly older: readonly string[];
  };
  /** What the catalogue says; undefined where it does not have this machine. */
  readonly offer: Offer | undefined;
  /** Milliseconds at the quantile that was asked for. */
  readonly latency: Estimate | undefined;
  /** Images a second. */
  readonly throughput: Estimate | undefined;
  /**
   * By what a fleet is counted: images a second that a device bears when queries arrive at random, with the p99 of the response time within
   * `bound` milliseconds. Undefined where that was not measured, or with a bound that does not keep to the limit of the latency: then it is
   * the throughput.
   */
  readonly sustained: { readonly rate: Estimate; readonly bound: number } | undefined;
  /** Peak over the runtime's base, in bytes. */
  readonly memory: Estimate | undefined;
  /** Share of right answers. */
  readonly accuracy: Estimate | undefined;
  /** Joule for an image; `measured` in the run, or from the power that the profile states. */
  readonly energy: (Estimate & { readonly source: 'measured' | 'profile' }) | undefined;
  /** Amount of money for each image a second. */
  readonly pricePerThroughput: Estimate | undefined;
  /** Undefined where no terms were given, or something that they need is missing. */
  readonly ownership: Ownership | undefined;
  readonly tests: Tests;
  /** Of all limits together: fails when one does, meets when all do. */
  readonly answer: Answer;
  readonly missing: readonly Missing[];
}

/** By what candidates are made. */
export interface CandidateOptions {
  readonly batch: number;
  readonly constraints: Constraints;
  /** Undefined where nobody asked for the cost of ownership. */
  readonly terms: Terms | undefined;
  readonly offers: readonly Offer[];
  /** That prices are told in; undefined where nothing has a price. */
  readonly currency: string | undefined;
  readonly rates: readonly ExchangeRate[];
  /** Whether there are several models. */
  readonly namesModels: boolean;
}

/**
 * What a variant on a device is to a buyer.
 *
 * @param gathered - what runs say of it
 * @param options - what is asked
 */
export function candidateOf(gathered: Gathered, options: CandidateOptions): Candidate {
  const { main, scored, sharesName, isFormerMachine } = gathered;
  const { constraints, terms, currency, rates } = options;
  const { timed } = main;
  const named = options.offers.find(({ name }) => name === main.device);
  const offer = isFormerMachine ? undefined : named;
  const price = offer?.price && currency !== undefined ? converted(offer.price, currency, rates) : undefined;
  const stated = offer?.power?.load;
  const watts = timed?.watts ?? (stated === undefined ? undefined : exactly(stated));
  const throughput = timed?.throughput;
  const energy =
    timed && watts && throughput
      ? {
          ...quotient(watts, throughput),
          source: timed.watts ? ('measured' as const) : ('profile' as const),
        }
      : undefined;
  const served = gathered.served?.served;
  const bears = served && keepsTo(constraints, served.bound) ? served : undefined;
  const sustained = bears?.rate && { rate: bears.rate, bound: bears.bound };
  const ownership =
    terms && throughput && price !== undefined
      ? ownershipOf(
          { price, throughput, sustained: sustained?.rate, busy: watts, idle: offer?.power?.idle },
          terms,
        )
      : undefined;
  const figures = {
    latency: timed?.latency,
    throughput,
    memory: timed?.memory,
    accuracy: scored?.top1,
    energy,
  };
  const sure = timed !== undefined && timed.doubt === undefined;
  const fleet = terms?.use.kind === 'load' ? ownership?.fleet : undefined;
  const tests = testsOf(
    figures,
    { latency: timed?.latencyIsSure === true, throughput: sure, energy: sure, memory: true, accuracy: true },
    constraints,
    fleet && offer?.count !== undefined
      ? { fleet, count: offer.count, isSure: sustained ? sure && bears.isSure : sure }
      : undefined,
  );
  return {
    device: main.device,
    deviceLabel: sharesName ? `${main.deviceLabel} [${main.hardware}]` : main.deviceLabel,
    ...{ hardware: main.hardware, emulated: main.emulated, model: main.model, recipe: main.recipe },
    variant: options.namesModels ? `${main.model} · ${main.recipe}` : main.recipe,
    runs: {
      ...{ timed: main.runId, scored: scored?.runId, served: sustained && gathered.served?.runId },
      older: gathered.older,
    },
    offer,
    ...figures,
    sustained,
    pricePerThroughput: throughput && price !== undefined ? quotient(exactly(price), throughput) : undefined,
    ...{ ownership, tests },
    answer: together(tests),
    missing: missingOf(gathered, { ...options, offer, isPowerKnown: watts !== undefined, ownership }),
  };
}

/** The quantile of the response time that a rate keeps to its bound. */
const SERVED_QUANTILE = 0.99;

/** Whether a p99 within a bound keeps to the limit of the latency. */
function keepsTo({ latency }: Constraints, bound: number): boolean {
  return latency === undefined || (bound <= latency.milliseconds && latency.quantile <= SERVED_QUANTILE);
}

/** What else decides what is missing. */
interface Known extends CandidateOptions {
  readonly offer: Offer | undefined;
  readonly isPowerKnown: boolean;
  readonly ownership: Ownership | undefined;
}

function missingOf({ main, scored, served, isFormerMachine }: Gathered, known: Known): Missing[] {
  const { constraints, terms, offer, ownership, batch } = known;
  const { timed, failure } = main;
  const needsPower = constraints.energy !== undefined || (terms !== undefined && terms.energyPrice > 0);
  const wanted: readonly (Missing | false | undefined)[] = [
    failure && { kind: 'failed', reason: failure },
    failure === undefined && timed === undefined && { kind: 'not timed', batch },
    timed?.doubt !== undefined && { kind: timed.doubt },
    scored === undefined && { kind: 'no accuracy', unscorable: main.unscorable },
    timed !== undefined && timed.memory === undefined && { kind: 'no memory' },
    terms?.use.kind === 'load' &&
      served?.served !== undefined &&
      served.served.rate === undefined && { kind: 'no rate', bound: served.served.bound },
    isFormerMachine && { kind: 'another machine', hardware: main.hardware },
    !isFormerMachine && offer === undefined && { kind: 'not in the catalogue' },
    offer !== undefined && offer.price === undefined && { kind: 'no price' },
    offer?.price !== undefined && offer.price.date === undefined && { kind: 'no date of the price' },
    needsPower && timed !== undefined && !known.isPowerKnown && { kind: 'no power' },
    ownership?.idleUnknown === true && ownership.utilisation < 1 && needsPower && { kind: 'no idle power' },
  ];
  return wanted.filter((each) => each !== undefined && each !== false);
}
