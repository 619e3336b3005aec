import type { Candidate, Missing } from '../../analysis/procure/candidate.js';
import type { Decision, Lack } from '../../analysis/procure/decision.js';
import type { Answer, Tests } from '../../analysis/procure/limits.js';
import type { Procurement, Ranked, Unranked } from '../../analysis/procure/procurement.js';
import { DAYS_A_YEAR } from '../../analysis/procure/ownership.js';
import type { Estimate } from '../../stats/interval.js';
import { failureText } from '../failures.js';
import * as format from '../format.js';
import { listed } from '../listed.js';

/** What is said of an answer. */
export const answerNames: Readonly<Record<Answer, string>> = {
  ...{ meets: 'meets', fails: 'fails', 'cannot tell': 'not known' },
};

/** Why a candidate has no place. */
export const unrankedNames: Readonly<Record<Unranked, string>> = {
  'does not qualify': 'does not qualify',
  emulated: 'not the hardware',
  'no cost': 'cost not known',
  unsure: 'timing disturbed',
};

type Limit = keyof Tests;

/** A quantity that can be limited: what it is called, and how a figure and its limit are told. */
interface Quantity {
  readonly name: string;
  /** Whether at least so much is asked for. */
  readonly least: boolean;
  readonly figure: (estimate: Estimate) => string;
  readonly limit: (limit: number) => string;
}

/** The figures that can be limited, in the words of a procurement. */
export function quantitiesOf({ quantile }: Pick<Procurement, 'quantile'>): Readonly<Record<Limit, Quantity>> {
  return {
    latency: {
      name: quantile === 0.5 ? 'median latency' : `p${given(quantile * 100)} latency`,
      least: false,
      figure: (estimate) => `${format.latency(estimate)} ms`,
      limit: (limit) => `${format.milliseconds(limit)} ms`,
    },
    accuracy: {
      name: 'top-1 accuracy',
      least: true,
      figure: (estimate) => `${format.share(estimate)} %`,
      limit: (limit) => `${format.percent(limit)} %`,
    },
    memory: {
      name: 'peak memory',
      least: false,
      figure: format.mebibytesWithin,
      limit: format.mebibytes,
    },
    throughput: {
      name: 'throughput',
      least: true,
      figure: (estimate) => `${format.amount(estimate)} images/s`,
      limit: (limit) => `${format.significant(limit)} images/s`,
    },
    energy: {
      name: 'energy',
      least: false,
      figure: (estimate) => `${format.amount(estimate)} J an image`,
      limit: (limit) => `${format.significant(limit)} J an image`,
    },
    fleet: { name: 'devices needed', least: false, figure: fleetText, limit: format.integer },
  };
}

/** A number as somebody gave it: `3`, `0.32`. */
export function given(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Money with its interval, which is left out where three digits do not show it: `131`, `0.596 (0.590–0.602)`. */
export function moneyText({ value, low, high }: Estimate): string {
  const [text, least, most] = [value, low, high].map((each) => format.significant(each));
  return least === most ? `${text}` : `${text} (${least}–${most})`;
}

/** How many devices a load takes: `3`, `3 (3–4)`. */
export function fleetText({ value, low, high }: Estimate): string {
  const [text, least, most] = [value, low, high].map(format.integer);
  return low === high ? `${text}` : `${text} (${least}–${most})`;
}

/** What costs are told in: `EUR per million images`. */
export function costUnit({ currency = 'price', terms }: Pick<Procurement, 'currency' | 'terms'>): string {
  return `${currency} per ${terms === undefined ? 'image/s' : 'million images'}`;
}

/** A candidate as sentences name it. */
export function candidateName({ variant, deviceLabel }: Candidate): string {
  return `${variant} on ${deviceLabel}`;
}

/** What was asked for: limits, and the load; empty where nothing was. */
export function askedFor(procurement: Procurement): string[] {
  const { constraints } = procurement;
  const quantities = quantitiesOf(procurement);
  const limits = { ...constraints, latency: constraints.latency?.milliseconds };
  const order = ['latency', 'accuracy', 'memory', 'throughput', 'energy'] as const;
  return order.flatMap((each) => {
    const limit = limits[each];
    if (limit === undefined) return [];
    const { name, least, limit: inWords } = quantities[each];
    return [`${name} ${least ? 'at least' : 'at most'} ${inWords(limit)}`];
  });
}

/** What costs were computed under, a sentence each; empty where nobody asked for the cost of ownership. */
export function termsText({ terms, rates, constraints, batch, candidates }: Procurement): string[] {
  const rateTexts = rates.map(({ from, rate, to }) => `1 ${from} = ${given(rate)} ${to}`);
  const conversion = rateTexts.length > 0 ? [`Prices converted at ${rateTexts.join(', ')}, as stated.`] : [];
  if (terms === undefined) return conversion;
  const { years, energyPrice, use } = terms;
  const energy = `${given(energyPrice.amount)} ${energyPrice.currency} per kWh`;
  const owned = `In use for ${given(years)} ${years === 1 ? 'year' : 'years'} of ${DAYS_A_YEAR} days; energy at ${energy}.`;
  const load =
    use.kind === 'load'
      ? `Load: ${format.integer(use.requestsPerDay)} requests of one image per day, peaking at ${given(use.peak)} times the mean rate, with ${format.percent(use.headroom, 0)} % headroom at the peak.`
      : `Each device computes ${format.percent(use.share)} % of the time.`;
  return [
    owned,
    load,
    'Costs include devices and their energy, but no network, space, staff, interest, repairs or resale value.',
    ...(use.kind === 'load' ? [countedText(candidates)] : []),
    ...(constraints.latency === undefined ||
    use.kind !== 'load' ||
    candidates.every(({ sustained }) => sustained !== undefined)
      ? []
      : [
          batch === 1
            ? 'The latency excludes queueing: at the peak, some queries wait.'
            : `The latency is that of a query of ${batch} images: it excludes queueing, and the time until so many have arrived.`,
        ]),
    ...conversion,
  ];
}

/** By which rate of a device a fleet is counted. */
function countedText(candidates: readonly Candidate[]): string {
  const served = candidates.filter(({ sustained }) => sustained !== undefined).length;
  const byRate =
    'the highest rate of random arrivals at which its p99 response time stayed within the bound of the server scenario';
  if (served === 0)
    return 'Devices are counted by throughput: no rate under random arrivals is known that fits the question.';
  return served === candidates.length
    ? `Devices are counted by ${byRate}.`
    : `Devices are counted by ${byRate}; where that was not measured, by throughput.`;
}

/** What a device bears, with the bound: `41.2 (40.1–42.3) images/s with p99 ≤ 50 ms`. */
export function sustainedText({ rate, bound }: NonNullable<Candidate['sustained']>): string {
  return `${format.amount(rate)} images/s with p99 ≤ ${format.milliseconds(bound)} ms`;
}

/** What is not known of a candidate, as a part of a sentence. */
export function missingText(missing: Missing): string {
  switch (missing.kind) {
    case 'not in the catalogue':
      return 'no profile in the catalogue, hence no price';
    case 'another machine':
      return `measured on another machine, or with other threads, than the newest of that name (${missing.hardware}): the catalogue is taken to mean the newest`;
    case 'no price':
      return 'no price in its profile';
    case 'no date of the price':
      return 'no date of the price in its profile';
    case 'no power':
      return 'power neither measured nor in its profile';
    case 'no idle power':
      return 'no idle power in its profile: assumed to be anywhere from 0 W to the power under load';
    case 'not timed':
      return `not timed at batch ${missing.batch}`;
    case 'one round':
      return 'timed in one process, which says nothing of the next';
    case 'disturbed':
      return 'timing disturbed by other processes';
    case 'no accuracy':
      return missing.unscorable
        ? 'no accuracy: untrained weights, or trained for other classes'
        : 'accuracy not measured';
    case 'no memory':
      return 'memory not measured: the device does not report it';
    case 'no rate':
      return `no arrival rate kept the p99 response time within ${format.milliseconds(missing.bound)} ms, so devices are counted by throughput`;
    case 'failed':
      return `failed: ${format.oneLine(failureText(missing.reason))}`;
  }
}

/** What a candidate lacks, as a part of a sentence. */
function lackText({ limited, test }: Lack, candidate: Ranked, procurement: Procurement): string {
  const { name, least, figure, limit } = quantitiesOf(procurement)[limited];
  const asked =
    limited === 'fleet'
      ? `only ${limit(test.limit)} are available`
      : `${least ? 'at least' : 'at most'} ${limit(test.limit)} is required`;
  if (test.estimate === undefined) return `${name} not measured, ${asked}`;
  return `${name} ${figure(test.estimate)} where ${asked}${test.answer === 'fails' ? '' : `, but ${doubtText(test, candidate)}`}`;
}

/** Why a figure does not decide whether a limit is met. */
function doubtText({ estimate, limit }: Lack['test'], { missing }: Ranked): string {
  if (estimate !== undefined && estimate.low <= limit && limit <= estimate.high)
    return 'its interval contains the limit';
  const kinds = missing.map(({ kind }) => kind);
  if (kinds.includes('one round')) return 'it was timed in one process, which says nothing of the next';
  return kinds.includes('disturbed') ? 'other processes disturbed the timing' : 'it rests on too few queries';
}

/** The answer in a sentence. */
export function headline(decision: Decision, procurement: Procurement): string {
  switch (decision.kind) {
    case 'buy': {
      const [first, ...others] = decision.best;
      if (first === undefined) return '';
      if (others.length === 0)
        return `Buy ${purchaseText(first, procurement)} and run ${first.variant} on it.`;
      return `Buy one of ${decision.best.length} whose costs are not distinguishable: ${listed(decision.best.map(candidateName))}.`;
    }
    case 'undecided': {
      const { qualifying } = decision;
      const reasons = [
        ...new Set(qualifying.flatMap(({ unranked }) => (unranked ? [unrankedNames[unranked]] : []))),
      ];
      return `No recommendation: ${qualifying.length === 1 ? '1 candidate qualifies' : `${qualifying.length} candidates qualify`}, but none can be ranked (${reasons.join(', ')}).`;
    }
    case 'nothing qualifies': {
      const { nearest, emulatedWould } = decision;
      const emulated = emulatedWould ? ' Emulated devices would, but they are not hardware.' : '';
      if (nearest === undefined) return `Nothing qualifies.${emulated}`;
      const lacks = nearest.lacks.map((lack) => lackText(lack, nearest.candidate, procurement)).join('; ');
      return `Nothing qualifies. Nearest is ${candidateName(nearest.candidate)}: ${lacks}.${emulated}`;
    }
  }
}

/** What is bought: `10 (10–11) × Raspberry Pi 5, 8 GiB (raspberry-pi-5)`. */
function purchaseText({ deviceLabel, offer, ownership }: Ranked, { terms }: Procurement): string {
  const what = offer?.board === undefined ? deviceLabel : `${offer.board} (${deviceLabel})`;
  return ownership && terms?.use.kind === 'load' ? `${fleetText(ownership.fleet)} × ${what}` : what;
}

/** Why a candidate was chosen: a sentence a reason. */
export function reasonsFor(candidate: Ranked, procurement: Procurement): string[] {
  const { cost, ownership, tests, pareto, offer, sustained } = candidate;
  const quantities = quantitiesOf(procurement);
  const unit = costUnit(procurement);
  const met = Object.entries(tests).flatMap(([limited, { estimate, limit }]) => {
    const { name, least, figure, limit: inWords } = quantities[limited as Limit];
    return estimate
      ? [`${name} ${figure(estimate)}, ${least ? 'at least' : 'at most'} ${inWords(limit)}`]
      : [];
  });
  const price = offer?.price;
  return [
    ...(cost ? [`Costs ${moneyText(cost)} ${unit}.`] : []),
    ...(ownership && procurement.terms?.use.kind === 'load'
      ? [
          `Needs ${fleetText(ownership.fleet)} ${ownership.fleet.high === 1 ? 'device' : 'devices'}, busy ${format.percent(ownership.utilisation)} % of the time: ${moneyText(ownership.purchase)} ${procurement.currency ?? ''} to buy, ${moneyText(ownership.energyCost)} ${procurement.currency ?? ''} for energy.`,
          sustained
            ? `Each sustains ${sustainedText(sustained)} under random arrivals.`
            : 'Counted by throughput: no rate under random arrivals is known that fits the question.',
        ]
      : []),
    ...(met.length > 0 ? [`Meets every limit: ${met.join('; ')}.`] : []),
    ...(price
      ? [
          `Price: ${given(price.amount)} ${price.currency}${price.date ? ` of ${price.date}` : ', without a date'}.`,
        ]
      : []),
    ...(pareto === 'on the front'
      ? ['On the Pareto front: nothing else that qualifies is at least as good in every respect.']
      : []),
  ];
}

/** What was not measured or not stated, grouped: `no price in its profile: a, b`. */
export function missingOf({ candidates, unmeasured, unreadable, otherImages }: Procurement): string[] {
  const groups = new Map<string, Set<string>>();
  const add = (what: string, who: string): void => {
    groups.set(what, (groups.get(what) ?? new Set()).add(who));
  };
  for (const each of candidates)
    for (const missing of each.missing)
      add(missingText(missing), isOfTheDevice(missing) ? each.deviceLabel : candidateName(each));
  const own = [...groups].map(([what, who]) => `${what}: ${listed([...who])}`);
  return [
    ...own,
    ...(unmeasured.length > 0 ? [`in the catalogue, but never measured: ${listed(unmeasured)}`] : []),
    ...unreadable.map(({ path, fault }) => {
      const reason = format.oneLine(fault);
      return `profile that cannot be read: ${reason.startsWith(path) ? reason : `${path} (${reason})`}`;
    }),
    ...otherImages.map(({ name, runs }) => `runs on other images, left out: ${name} (${listed(runs)})`),
  ];
}

/** What the profile lacks is the same for all variants on the device. */
function isOfTheDevice({ kind }: Missing): boolean {
  return [
    ...['not in the catalogue', 'another machine', 'no price', 'no date of the price'],
    ...['no power', 'no idle power', 'no memory'],
  ].includes(kind);
}
