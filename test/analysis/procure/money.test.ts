import { describe, expect, it } from 'vitest';
import { parseEnergyPrice, parseExchangeRate } from '../../../src/analysis/procure/money.js';
import { refusalOf } from '../../support/refusal.js';

describe('amounts of money', () => {
  it('are read with their currency', () => {
    expect(parseEnergyPrice('0.32EUR')).toEqual({ amount: 0.32, currency: 'EUR' });
    expect(parseEnergyPrice('0 CHF/kWh')).toEqual({ amount: 0, currency: 'CHF' });
    expect(parseEnergyPrice('12 €')).toEqual({ amount: 12, currency: '€' });
    expect(parseExchangeRate('USD=0.86EUR')).toEqual({ from: 'USD', to: 'EUR', rate: 0.86 });
    expect(parseExchangeRate('JPY = 0.0056 EUR')).toEqual({ from: 'JPY', to: 'EUR', rate: 0.0056 });
  });

  it.each(['0.32', 'EUR', '', '-1EUR', '1.2.3EUR', `${'9'.repeat(400)}EUR`, '0.3EUR/h'])(
    'are refused as the price of energy: %s',
    async (text) => {
      expect((await refusalOf(() => parseEnergyPrice(text))).source).toBe('--energy-price');
    },
  );

  it.each(['USD', 'USD=EUR', 'USD=0EUR', 'EUR=1EUR', 'USD=0.86', '=1EUR'])(
    'are refused as a rate: %s',
    async (text) => {
      expect((await refusalOf(() => parseExchangeRate(text))).source).toBe('--exchange');
    },
  );
});
