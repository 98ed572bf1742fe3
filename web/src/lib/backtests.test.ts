import { describe, expect, it } from 'vitest';
import { body, defaults, figure, isWhole, stored, timeframes, upsert } from './backtests';
import type { Job, Series } from './protocol';

const BTC = { base: 'BTC', quote: 'USDT', full: 'BTCUSDT' };
const ETH_BTC = { base: 'ETH', quote: 'BTC', full: 'ETHBTC' };
const series = (symbol: typeof BTC, timeframe: string, first: number, last: number): Series => ({
  exchange: 'x', symbol, timeframe, first, last, count: 2, missing: 0,
});
const SERIES = [series(BTC, '1h', 0, 9), series(BTC, '1m', 5, 7), series(ETH_BTC, '1m', 3, 6), series(BTC, '1d', 0, 1)];

describe('the form', () => {
  it('leaves out what is empty', () => {
    const form = { strategy: 'S', parameters: { fast: '7', slow: ' ' }, symbols: [], timeframe: '1m', from: '', to: '2025-01-02T03:04', rules: { stake: '5%', fee: '' } };
    expect(body(form)).toEqual({
      strategy: 'S', parameters: { fast: '7' }, symbols: [], timeframe: '1m', to: '2025-01-02T03:04', rules: { stake: '5%' },
    });
  });

  it('begins with the defaults of the parameters', () => {
    const fast = { default: 10, low: 5, high: 50 };
    const width = { default: 2, low: 0.5, high: 5 };
    expect(defaults({ fast, width })).toEqual({ fast: '10', width: '2' });
    expect([isWhole(fast), isWhole(width)]).toEqual([true, false]);
  });

  it('offers what is stored', () => {
    expect(timeframes(SERIES)).toEqual(['1m', '1h', '1d']);
    expect(stored(SERIES, '1m')).toEqual({ symbols: ['BTC', 'ETH/BTC'], first: 3, last: 7 });
  });
});

describe('jobs', () => {
  const job = (id: string, progress = 0) => ({ id, progress }) as Job;

  it('keep their place, and new ones come first', () => {
    const list = upsert(upsert([job('a')], job('b')), job('a', 0.5));
    expect(list.map(({ id, progress }) => [id, progress])).toEqual([['b', 0], ['a', 0.5]]);
  });

  it('have figures that may be undefined', () => {
    expect([figure({ sharpe: null, trades: 3, fees_paid: '1.2' }, 'trades'), figure({ sharpe: null }, 'sharpe'), figure({}, 'x')]).toEqual([3, null, null]);
  });
});
