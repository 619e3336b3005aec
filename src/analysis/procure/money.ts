import { InputError } from '../../base/errors.js';
import { readPlain } from '../../base/quantities.js';
import type { ExchangeRate, Money, Offer } from './offer.js';

const CURRENCY = String.raw`([^\s\d/=.,]{1,8})`;

/**
 * Reads the price of a kilowatt-hour: `0.32EUR`, `0.32 EUR/kWh`, `0EUR` where energy costs nothing.
 *
 * @throws InputError when it is none
 */
export function parseEnergyPrice(text: string): Money {
  const [, digits = '', currency = ''] =
    new RegExp(`^([\\d.]+) *${CURRENCY}(?: */ *kWh)?$`).exec(text.trim()) ?? [];
  const amount = readPlain(digits);
  if (amount === undefined || currency === '')
    throw new InputError({
      source: '--energy-price',
      found: `"${text}"`,
      expected: 'the price of a kilowatt-hour with its currency, such as 0.32EUR',
    });
  return { amount, currency };
}

/**
 * Reads an exchange rate: `USD=0.86EUR` says what one dollar is worth.
 *
 * @throws InputError when it is none
 */
export function parseExchangeRate(text: string): ExchangeRate {
  const [, from = '', digits = '', to = ''] =
    new RegExp(`^${CURRENCY} *= *([\\d.]+) *${CURRENCY}$`).exec(text.trim()) ?? [];
  const rate = readPlain(digits) ?? NaN;
  if (!(rate > 0) || from === to)
    throw new InputError({
      source: '--exchange',
      found: `"${text}"`,
      expected: 'what one unit of a currency is worth in another, such as USD=0.86EUR',
    });
  return { from, to, rate };
}

/**
 * The currency that all costs are told in: that of the energy, or else the one of the prices. Prices in another one are
 * converted by rates that are given, and only by those.
 *
 * @param offers - of the devices in question
 * @param energy - the price of energy, where it matters
 * @param rates - what was stated
 * @returns undefined where nothing has a price
 * @throws InputError that names the currencies, when one of them cannot be converted
 */
export function commonCurrency(
  offers: readonly Offer[],
  energy: Money | undefined,
  rates: readonly ExchangeRate[],
): string | undefined {
  const used = [
    ...new Set([
      ...(energy ? [energy.currency] : []),
      ...offers.flatMap(({ price }) => (price ? [price.currency] : [])),
    ]),
  ];
  const candidates = energy ? [energy.currency] : used;
  const reaches = (target: string): boolean =>
    used.every((currency) => rateTo(currency, target, rates) !== undefined);
  const common = candidates.find(reaches);
  if (common !== undefined || used.length === 0) return common;
  const priced = offers.map(({ name, price }) => (price ? `${name} in ${price.currency}` : undefined));
  throw new InputError({
    source: 'procure',
    place: 'price.currency of the device profiles',
    found: [
      ...priced.filter((each) => each !== undefined),
      ...(energy ? [`energy in ${energy.currency}`] : []),
    ].join(', '),
    expected: 'one currency, so that costs can be compared',
    hint: `Say what another one is worth, such as --exchange ${used[1] ?? 'USD'}=0.86${used[0] ?? 'EUR'}, or name runs without these devices.`,
  });
}

/**
 * An amount in another currency.
 *
 * @param money - the amount
 * @param currency - the other one, which a rate reaches
 * @param rates - what was stated
 * @throws RangeError when no rate reaches it: `commonCurrency` refuses that
 */
export function converted(money: Money, currency: string, rates: readonly ExchangeRate[]): number {
  const rate = rateTo(money.currency, currency, rates);
  if (rate === undefined) throw new RangeError(`no rate from ${money.currency} to ${currency}`);
  return money.amount * rate;
}

function rateTo(from: string, to: string, rates: readonly ExchangeRate[]): number | undefined {
  return from === to ? 1 : rates.find((each) => each.from === from && each.to === to)?.rate;
}
