import type { Estimate } from '../../stats/interval.js';

/** What a device is to bear. */
export type Use =
  /** So many requests of one image each a day; a fleet is as large as its peak needs. */
  | {
      readonly kind: 'load';
      readonly requestsPerDay: number;
      /** How many times the mean rate the highest one is; 1 for a steady load. */
      readonly peak: number;
      /** Share of its throughput that a device must have left at the peak, 0 … 1. */
      readonly headroom: number;
    }
  /** One device that computes for this share of the time, 0 … 1. */
  | { readonly kind: 'utilisation'; readonly share: number };

/** Under what a device is owned. */
export interface Terms {
  readonly years: number;
  /** Of a kilowatt-hour, in the currency of the price. */
  readonly energyPrice: number;
  readonly use: Use;
}

/** What is to know of a device for its cost. */
export interface OwnedDevice {
  /** Of one, in the currency of the energy. */
  readonly price: number;
  /** Images a second. */
  readonly throughput: Estimate;
  /** Images a second that it bears when they arrive at random, of which no more counts than the throughput; undefined where nobody knows. */
  readonly sustained?: Estimate | undefined;
  /** Watts while it computes; undefined where nobody knows. */
  readonly busy: Estimate | undefined;
  /** Watts at rest; undefined where nobody says. */
  readonly idle: number | undefined;
}

/** Total cost of ownership, of the whole fleet and of a million images. Money in the currency of the price. */
export interface Ownership {
  /** Devices to buy. */
  readonly fleet: Estimate;
  /** Share of the time that a device of it computes, on average. */
  readonly utilisation: number;
  readonly purchase: Estimate;
  /** Kilowatt-hours over all years; undefined where the power is not known, and energy costs nothing. */
  readonly energy: Estimate | undefined;
  readonly energyCost: Estimate;
  readonly total: Estimate;
  readonly perMillion: Estimate;
  /** Whether the power at rest was taken as anything from nothing to that at work, as nobody states it. */
  readonly idleUnknown: boolean;
}

const DAY = 86_400;
/** A Julian year. */
export const DAYS_A_YEAR = 365.25;
const HOURS_A_YEAR = 24 * DAYS_A_YEAR;

/**
 * Total cost of ownership: what the devices cost and the energy they take, as in Barroso, Hölzle & Ranganathan, "The Datacenter as a
 * Computer" (3rd edition, 2018, chapter 6) without buildings, network, staff, interest and resale, which are no matter of the device.
 *
 * - Of N requests a day with a peak of k times the mean, the highest rate is r = N k / 86,400 a second. A device of throughput T that
 *   keeps a share h free takes T (1 − h) of it, so that n = ⌈r / (T (1 − h))⌉ devices are needed, one at least. Where no load is given, n = 1.
 *   Where the rate S ≤ T is known that a device bears when requests arrive at random, it is S (1 − h): waiting has its place then.
 * - They compute for a share u = N / (86,400 T n) of the time; without a load, the share that is given.
 * - Power is linear in that share (Fan, Weber & Barroso, "Power Provisioning for a Warehouse-Sized Computer", ISCA 2007): of a device
 *   u W_busy + (1 − u) W_idle, in Y years n Y 8,766 h of it.
 * - A million images cost 10⁶ (n P + E e) / (365.25 Y N), with P the price of a device, E the kilowatt-hours and e the price of one;
 *   without a load there are 86,400 T u images a day.
 *
 * All of it falls as T and S rise and rises with both powers as long as W_idle ≤ W_busy, so that the ends of the intervals are those at the
 * ends of T, S and W. A power at rest that nobody states is anything from 0 to W_busy; one that is stated and above W_busy counts as W_busy.
 *
 * @param device - price, throughput, power
 * @param terms - years, price of energy, use
 * @returns undefined where the power at work is not known although energy costs something
 */
export function ownershipOf(device: OwnedDevice, terms: Terms): Ownership | undefined {
  const { throughput, busy, idle } = device;
  if (busy === undefined && terms.energyPrice > 0) return undefined;
  const watts = busy ?? { value: 0, low: 0, high: 0 };
  const idleUnknown = idle === undefined && busy !== undefined;
  const at = (end: keyof Estimate, work: number, share: number): Account => {
    const rate = throughput[end];
    const bears = Math.min(device.sustained?.[end] ?? rate, rate);
    const rest = Math.min(idle ?? work * share, work);
    return accountOf({ price: device.price, rate, bears, busy: work, idle: rest }, terms);
  };
  const value = at('value', watts.value, UNSTATED);
  const low = at('high', watts.low, 0);
  const high = at('low', watts.high, 1);
  const over = (figure: (account: Account) => number): Estimate => ({
    value: figure(value),
    low: figure(low),
    high: figure(high),
  });
  return {
    fleet: over(({ fleet }) => fleet),
    utilisation: value.utilisation,
    purchase: over(({ purchase }) => purchase),
    energy: busy && over(({ kilowattHours }) => kilowattHours),
    energyCost: over(({ energyCost }) => energyCost),
    total: over((each) => each.purchase + each.energyCost),
    perMillion: over((each) => (1e6 * (each.purchase + each.energyCost)) / each.images),
    idleUnknown,
  };
}

/** Of a power at rest that nobody states the middle of what it may be, as a share of that at work. */
const UNSTATED = 0.5;

/** A device of which all is known exactly. */
interface ExactDevice {
  readonly price: number;
  readonly rate: number;
  /** Of that rate what counts for a fleet. */
  readonly bears: number;
  readonly busy: number;
  readonly idle: number;
}

/** What a fleet costs where all is known exactly. */
interface Account {
  readonly fleet: number;
  readonly utilisation: number;
  readonly purchase: number;
  readonly kilowattHours: number;
  readonly energyCost: number;
  readonly images: number;
}

function accountOf(
  { price, rate, bears, busy, idle }: ExactDevice,
  { years, energyPrice, use }: Terms,
): Account {
  const fleet = use.kind === 'load' ? fleetOf(bears, use) : 1;
  const imagesADay = use.kind === 'load' ? use.requestsPerDay : DAY * rate * use.share;
  const utilisation = imagesADay / (DAY * rate * fleet);
  const watts = fleet * (utilisation * busy + (1 - utilisation) * idle);
  const kilowattHours = (watts * years * HOURS_A_YEAR) / 1000;
  return {
    ...{ fleet, utilisation, kilowattHours },
    purchase: fleet * price,
    energyCost: kilowattHours * energyPrice,
    images: imagesADay * DAYS_A_YEAR * years,
  };
}

/** Devices that bear a load's peak with their head-room. */
function fleetOf(rate: number, { requestsPerDay, peak, headroom }: Extract<Use, { kind: 'load' }>): number {
  const needed = (requestsPerDay * peak) / DAY / (rate * (1 - headroom));
  // A fleet that is just large enough must not grow by rounding: 0.3 / 0.1 is a little more than three.
  return Math.max(1, Math.ceil(needed * (1 - 1e-12)));
}
