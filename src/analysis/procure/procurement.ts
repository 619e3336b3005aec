import { InputError } from '../../base/errors.js';
import type { Estimate } from '../../stats/interval.js';
import { standings, type Standing } from '../../stats/ties.js';
import { candidateOf, type Candidate } from './candidate.js';
import type { Constraints } from './constraints.js';
import { gather, type Gathering } from './gather.js';
import { commonCurrency } from './money.js';
import type { ImageSet, Observed } from './observe.js';
import type { Catalogue, ExchangeRate, Money, UnreadableOffer } from './offer.js';
import type { Terms } from './ownership.js';
import { objectives, paretoOf, type Pareto } from './pareto.js';

/** Why a candidate has no place. */
export type Unranked =
  /** It misses a limit, or one cannot tell. */
  | 'does not qualify'
  /** Not the hardware, and not asked for. */
  | 'emulated'
  | 'no cost'
  /** Its speed rests on one round, or other processes disturbed it. */
  | 'unsure';

/** A candidate and its place among the others. */
export interface Ranked extends Candidate {
  /** What the ranking is by: a million images under the terms, or else the price of each image a second. */
  readonly cost: Estimate | undefined;
  /** By cost; undefined where it has no place. */
  readonly byCost: Standing | undefined;
  /** By energy for an image. */
  readonly byEnergy: Standing | undefined;
  /** Undefined where it has a place by cost. */
  readonly unranked: Unranked | undefined;
  /** By cost, energy, throughput and accuracy, among those that qualify; undefined for others. */
  readonly pareto: Pareto | undefined;
}

/** What to buy. */
export interface Procurement {
  readonly runs: readonly string[];
  readonly batch: number;
  /** Of the latency that is told, 0 … 1. */
  readonly quantile: number;
  readonly constraints: Constraints;
  /** Undefined where nobody asked for the cost of ownership. */
  readonly terms: (Omit<Terms, 'energyPrice'> & { readonly energyPrice: Money }) | undefined;
  /** That all costs are told in; undefined where nothing has a price. */
  readonly currency: string | undefined;
  readonly rates: readonly ExchangeRate[];
  /** Whether emulators were ranked, which says nothing of the hardware they look like. */
  readonly emulatedToo: boolean;
  /** What the newest run is about. */
  readonly images: ImageSet | undefined;
  readonly otherImages: Gathering['otherImages'];
  /** Devices of the catalogue that nobody has measured. */
  readonly unmeasured: readonly string[];
  readonly unreadable: readonly UnreadableOffer[];
  /** What has a place first, in the order of ties, by name within one; then what may qualify, then what fails. */
  readonly candidates: readonly Ranked[];
}

/** What is asked. */
export interface ProcureQuestion {
  readonly batch: number;
  readonly constraints: Constraints;
  readonly terms: Procurement['terms'];
  readonly rates: readonly ExchangeRate[];
  readonly emulatedToo: boolean;
}

/** Which latency is told where none is limited. */
const MEDIAN = 0.5;

/** The quantile of the latency that is told. */
export function quantileOf({ latency }: Constraints): number {
  return latency?.quantile ?? MEDIAN;
}

/**
 * Ranks what runs measured by what it costs.
 *
 * @param observed - what each run says, as `observe` has it at the batch size and quantile in question
 * @param catalogue - what can be bought
 * @param question - limits and terms
 * @throws InputError when nothing was timed at the batch size, or prices are in currencies that no rate converts
 */
export function procure(
  observed: readonly Observed[],
  catalogue: Catalogue,
  { batch, constraints, terms, rates, emulatedToo }: ProcureQuestion,
): Procurement {
  const { gathered, images, otherImages } = gather(observed.flatMap(({ observations }) => observations));
  if (gathered.every(({ main }) => main.timed === undefined)) refuseBatch(batch, observed);
  const measured = new Set(gathered.map(({ main }) => main.device));
  const offers = catalogue.offers.filter(({ name }) => measured.has(name));
  refuseAmbiguous(offers.map(({ name, path }) => ({ name, path })));
  const currency = commonCurrency(offers, terms?.energyPrice, rates);
  const namesModels = new Set(gathered.map(({ main }) => main.model)).size > 1;
  const all = gathered.map((each) =>
    candidateOf(each, {
      ...{ batch, constraints, offers, currency, rates, namesModels },
      terms: terms && { ...terms, energyPrice: terms.energyPrice.amount },
    }),
  );
  return {
    runs: [
      ...new Set([
        ...gathered.flatMap(({ main, scored }) => [main.runId, ...(scored ? [scored.runId] : [])]),
        ...all.flatMap(({ runs }) => runs.served ?? []),
      ]),
    ],
    ...{ batch, constraints, terms, currency, rates, emulatedToo, images, otherImages },
    quantile: quantileOf(constraints),
    unmeasured: catalogue.offers.map(({ name }) => name).filter((name) => !measured.has(name)),
    unreadable: catalogue.unreadable,
    candidates: ranked(all, { terms, emulatedToo }),
  };
}

/** What a candidate is ranked by. */
function costOf(
  { ownership, pricePerThroughput }: Candidate,
  terms: object | undefined,
): Estimate | undefined {
  return terms === undefined ? pricePerThroughput : ownership?.perMillion;
}

function ranked(
  all: readonly Candidate[],
  { terms, emulatedToo }: Pick<ProcureQuestion, 'terms' | 'emulatedToo'>,
): Ranked[] {
  const cost = (candidate: Candidate): Estimate | undefined => costOf(candidate, terms);
  const reasonOf = (each: Candidate): Unranked | undefined => {
    if (each.emulated && !emulatedToo) return 'emulated';
    if (each.answer !== 'meets') return 'does not qualify';
    if (each.missing.some(({ kind }) => kind === 'one round' || kind === 'disturbed')) return 'unsure';
    return cost(each) === undefined ? 'no cost' : undefined;
  };
  const reasons = new Map(all.map((each) => [each, reasonOf(each)]));
  const qualifying = all.filter((each) => [undefined, 'no cost'].includes(reasons.get(each)));
  const byCost = placesBy(
    qualifying.filter((each) => reasons.get(each) === undefined),
    cost,
  );
  const byEnergy = placesBy(qualifying, ({ energy }) => energy);
  const counts = [{ of: cost }, ...objectives];
  return all
    .map((each) => ({
      ...each,
      cost: cost(each),
      byCost: byCost.get(each),
      byEnergy: byEnergy.get(each),
      unranked: reasons.get(each),
      pareto: qualifying.includes(each) ? paretoOf(each, qualifying, counts) : undefined,
    }))
    .sort(inOrder);
}

function placesBy(
  candidates: readonly Candidate[],
  quantity: (candidate: Candidate) => Estimate | undefined,
): Map<Candidate, Standing> {
  const known = candidates.flatMap((candidate) => {
    const estimate = quantity(candidate);
    return estimate === undefined ? [] : [{ candidate, estimate }];
  });
  const places = standings(known.map(({ estimate }) => estimate));
  return new Map(
    known.flatMap(({ candidate }, index): [Candidate, Standing][] => {
      const place = places[index];
      return place === undefined ? [] : [[candidate, place]];
    }),
  );
}

const answers = ['meets', 'cannot tell', 'fails'];

/** Within a tie by name: any other order would look like one of merit. */
function inOrder(a: Ranked, b: Ranked): number {
  const by = [
    (a.byCost?.tie ?? Infinity) === (b.byCost?.tie ?? Infinity)
      ? 0
      : (a.byCost?.tie ?? Infinity) - (b.byCost?.tie ?? Infinity),
    answers.indexOf(a.answer) - answers.indexOf(b.answer),
    Number(a.emulated) - Number(b.emulated),
    a.deviceLabel.localeCompare(b.deviceLabel, 'en'),
    a.variant.localeCompare(b.variant, 'en'),
  ];
  return by.find((difference) => difference !== 0) ?? 0;
}

function refuseBatch(batch: number, observed: readonly Observed[]): never {
  const sizes = [...new Set(observed.flatMap(({ batches }) => batches))].sort((a, b) => a - b);
  throw new InputError({
    source: '--batch',
    found: String(batch),
    expected: sizes.length > 0 ? `a batch size that was timed: ${sizes.join(', ')}` : 'a run with timings',
  });
}

/** Two profiles of one name would make it a matter of luck which price counts. */
function refuseAmbiguous(offers: readonly { readonly name: string; readonly path: string }[]): void {
  for (const { name, path } of offers) {
    const other = offers.find((each) => each.name === name && each.path !== path);
    if (other !== undefined)
      throw new InputError({
        source: path,
        place: 'name',
        found: `${name}, as in ${other.path}`,
        expected: 'one profile of each name in the catalogue',
      });
  }
}
