import { describe, expect, it } from 'vitest';
import { besidePrice, ChartModel, type Change } from './chart-model';
import type { Candle, Decision, Fill, SymbolSnapshot } from './protocol';

const MINUTE = 60_000;
const candle = (i: number, close = 100): Candle => [i * MINUTE, 100, 101, 99, close, 1];
const update = (closed: Candle | null, forming: Candle | null) => ({ time: 0, price: 100, change_pct: 0, closed, forming });
const decision = (i: number, value: number) => ({ candle_time: i * MINUTE, indicators: { fast: value } }) as unknown as Decision;

function loaded(): ChartModel {
  const model = new ChartModel();
  const snapshot = { candles: [candle(10), candle(11)], forming: candle(12), markers: [], series: { fast: [null, 1] } };
  model.load(snapshot as unknown as SymbolSnapshot, MINUTE);
  return model;
}

describe('ChartModel', () => {
  it('puts arrows at the candle of their time, and one only for the parts of a fill', () => {
    const model = new ChartModel();
    const marker = { time: 11 * MINUTE + 17_000, kind: 'entry', side: 'BUY', price: '100', reason: 'signal' };
    const snapshot = { candles: [candle(10), candle(11)], forming: null, markers: [marker], series: {} };
    model.load(snapshot as unknown as SymbolSnapshot, MINUTE);
    model.fill({ side: 'BUY', purpose: 'entry', price: '100', time: 11 * MINUTE + 40_000, reason: 'signal' } as Fill);
    model.fill({ side: 'SELL', purpose: 'stop', price: '99', time: 12 * MINUTE + 1, reason: '' } as Fill);
    expect(model.markers.map(({ time, kind }) => [time / MINUTE, kind])).toEqual([[11, 'entry'], [12, 'exit']]);
  });

  it('closes the forming candle and goes on with the next', () => {
    const model = loaded();
    model.price(update(candle(12, 105), candle(13)));
    expect(model.candles.map((c) => c[0] / MINUTE)).toEqual([10, 11, 12]);
    expect(model.forming?.[0]).toBe(13 * MINUTE);
    expect(model.series['fast']).toEqual([null, 1, null]);
  });

  it('takes several closed candles at once and ignores one that is older', () => {
    const model = loaded();
    model.price({ ...update(null, null), closed_many: [candle(12), candle(13)] });
    model.price(update(candle(11, 7), null));
    expect(model.candles.map((c) => c[4])).toEqual([100, 100, 100, 100]);
  });

  it('sets indicators whether the decision comes after its candle or before', () => {
    const model = loaded();
    model.price(update(candle(12), null));
    model.decision(decision(12, 2));
    model.decision(decision(13, 3));
    model.price(update(candle(13), null));
    expect(model.series['fast']).toEqual([null, 1, 2, 3]);
  });

  it('keeps indicators aligned when older candles come in front', () => {
    const model = loaded();
    model.prepend([candle(8), candle(9), candle(10)]);
    expect(model.candles.map((c) => c[0] / MINUTE)).toEqual([8, 9, 10, 11]);
    expect(model.series['fast']).toEqual([null, null, null, 1]);
  });

  it('draws one arrow for the partial fills of an order', () => {
    const model = loaded();
    const changes: Change[] = [];
    model.listen((change) => changes.push(change));
    const fill = { side: 'SELL', price: '99', time: 12 * MINUTE + 5000, purpose: 'stop', reason: '' } as const;
    model.fill({ ...fill, fill_id: '1', client_order_id: 'a', quantity: '1', fee: '0', fee_asset: 'USDT' });
    model.fill({ ...fill, fill_id: '2', client_order_id: 'a', quantity: '1', fee: '0', fee_asset: 'USDT' });
    expect(model.markers).toEqual([{ time: 12 * MINUTE, kind: 'exit', side: 'SELL', price: '99', reason: 'stop_loss' }]);
    expect(changes).toEqual([{ kind: 'markers' }]);
  });
});

describe('besidePrice', () => {
  const candles = [candle(1), candle(2)];
  it('puts averages on the price pane and oscillators on their own', () => {
    expect(besidePrice('fast', [null, 99], candles)).toBe(true);
    expect(besidePrice('width', [0.02, 0.03], candles)).toBe(false);
  });
  it('knows an oscillator by name where its values happen to lie near the price', () => {
    expect(besidePrice('rsi', [60, 70], candles)).toBe(false);
  });
});
