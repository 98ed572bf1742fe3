import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Desk } from './store.svelte';
import type { AccountSnapshot, Position, StreamEvent, SymbolSnapshot } from './protocol';

const BTC = { base: 'BTC', quote: 'USDT', full: 'BTCUSDT' };
const ETH_BTC = { base: 'ETH', quote: 'BTC', full: 'ETHBTC' };
const summary = (symbol: typeof BTC) => ({ symbol, price: 100, change_pct: 0, regime: 'unknown', strategy: 'SmaCrossover', spark: [1, 2] });
const snapshot = {
  stream: 'account', seq: 1, session: { time: 1000, timeframe_ms: 60_000 }, symbols: [summary(BTC), summary(ETH_BTC)], wallet: {},
  equity_curve: [[0, 1000]], positions: [], trades: [], orders: [], health: [], alerts: [], jobs: [],
} as unknown as AccountSnapshot;
const symbolSnapshot = {
  stream: 'BTC', seq: 1, symbol: BTC, strategy: 'MacdStrategy', regime: 'bull_trend', tick: '0.01', candles: [], forming: null,
  markers: [], series: {}, decisions: [],
} as SymbolSnapshot;

function price(value: number): StreamEvent {
  const body = { stream: 'BTC', seq: 2, symbol: BTC, time: 5000, price: value, forming: null, closed: null, change_pct: 1 };
  return { name: 'price_update', body };
}

function position(closed: boolean): StreamEvent {
  const body = { stream: 'account', seq: 2, symbol: BTC, entry_price: '1', closed } as unknown as Position & { stream: string; seq: number };
  return { name: 'position_update', body };
}

describe('Desk', () => {
  let desk: Desk;
  let frames: (() => void)[];

  beforeEach(() => {
    vi.useFakeTimers();
    frames = [];
    vi.stubGlobal('document', { hidden: false });
    vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
    desk = new Desk();
    desk.account(snapshot);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function frame(): Promise<void> {
    await vi.advanceTimersByTimeAsync(100);
    frames.splice(0).forEach((run) => run());
  }

  it('selects the first symbol and names rows as requests do', () => {
    expect(desk.selected).toBe('BTC');
    expect(desk.rows.map((row) => row.name)).toEqual(['BTC', 'ETH/BTC']);
  });

  it('applies many events in one frame', async () => {
    desk.event(price(101));
    desk.event(price(102));
    desk.event(price(99));
    await vi.advanceTimersByTimeAsync(100);
    expect(frames).toHaveLength(1);
    expect(desk.rows[0]?.price).toBe(100);
    await frame();
    expect(desk.rows[0]?.price).toBe(99);
    expect(desk.rows[0]?.direction).toBe(-1);
    expect(desk.marketTime).toBe(5000);
  });

  it('keeps the order of events and a snapshot', () => {
    desk.event(price(101));
    desk.account(snapshot);
    expect(desk.rows[0]?.price).toBe(100);
  });

  it('applies events of a hidden page without frames', async () => {
    vi.stubGlobal('document', { hidden: true });
    desk.event(price(101));
    await vi.advanceTimersByTimeAsync(1000);
    expect(desk.rows[0]?.price).toBe(101);
  });

  it('opens, replaces and closes a position', async () => {
    desk.event(position(false));
    desk.event(position(false));
    await frame();
    expect(desk.positions).toHaveLength(1);
    desk.event(position(true));
    await frame();
    expect(desk.positions).toHaveLength(0);
  });

  it('puts an alert at the head of those in the snapshot', async () => {
    const old = { time: 1, level: 'warning', text: 'old' };
    desk.account({ ...snapshot, alerts: [old] });
    const alert = { time: 2, level: 'critical', text: 'new' };
    desk.event({ name: 'alert', body: { stream: 'account', seq: 2, ...alert } });
    await frame();
    expect(desk.alerts.all).toMatchObject([alert, old]);
    expect(desk.alerts.urgent).toMatchObject([alert]);
  });

  it('takes decimals, regime and strategy from the symbol snapshot', () => {
    desk.symbol(symbolSnapshot);
    expect(desk.rows[0]).toMatchObject({ digits: 2, regime: 'bull_trend', strategy: 'MacdStrategy' });
  });
});
