import type { Candle, Decision, Fill, Marker, PriceUpdate, SymbolSnapshot } from './protocol';

/** What changed: everything, the newest candles (from an index on), the indicators from an index on, or the markers. */
export type Change = { kind: 'reset' } | { kind: 'candles'; from: number } | { kind: 'series'; from: number } | { kind: 'markers' };
export type Values = (number | null)[];

const LIMIT = 6000;
const KEEP = 4000;

/** Candles, indicators and markers of the symbol on the chart. `series` holds one value a candle. */
export class ChartModel {
  candles: Candle[] = [];
  forming: Candle | null = null;
  series: Record<string, Values> = {};
  markers: Marker[] = [];
  #listeners = new Set<(change: Change) => void>();
  #timeframe = 60_000;
  /** A decision may arrive before the candle that it was made of. */
  #early: Decision | null = null;

  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.#replace([], null, {}, []);
  }

  load(snapshot: SymbolSnapshot, timeframe: number): void {
    this.#timeframe = timeframe;
    const { candles, forming, series } = snapshot;
    const markers = snapshot.markers.map((marker) => ({ ...marker, time: this.#snap(marker.time) }));
    this.#replace([...candles], forming, Object.fromEntries(Object.entries(series).map(([k, v]) => [k, [...v]])), markers);
  }

  prepend(older: readonly Candle[]): void {
    const first = this.candles[0]?.[0] ?? Infinity;
    const fresh = older.filter((candle) => candle[0] < first);
    if (fresh.length === 0) return;
    this.candles = [...fresh, ...this.candles];
    const blank: Values = new Array(fresh.length).fill(null);
    for (const name of Object.keys(this.series)) this.series[name] = [...blank, ...(this.series[name] ?? [])];
    this.#tell({ kind: 'reset' });
  }

  price(update: PriceUpdate): void {
    const from = this.candles.length;
    for (const candle of update.closed_many ?? (update.closed ? [update.closed] : [])) this.#close(candle);
    this.forming = update.forming;
    if (this.candles.length > LIMIT) this.#trim();
    else this.#tell({ kind: 'candles', from });
    if (this.#early && this.candles.length > from) this.decision(this.#early);
  }

  decision(decision: Decision): void {
    const at = this.#indexOf(decision.candle_time);
    if (at < 0) {
      this.#early = decision;
      return;
    }
    this.#early = null;
    for (const [name, value] of Object.entries(decision.indicators)) {
      const values = (this.series[name] ??= new Array(this.candles.length).fill(null));
      values[at] = value;
    }
    this.#tell({ kind: 'series', from: at });
  }

  fill(fill: Fill): void {
    const kind = fill.purpose === 'entry' ? 'entry' : 'exit';
    const reason = fill.reason || (fill.purpose === 'stop' ? 'stop_loss' : fill.purpose === 'take_profit' ? 'take_profit' : 'signal');
    const time = this.#snap(fill.time);
    // Partial fills of one order share a candle and a side; one arrow is enough.
    if (this.markers.some((m) => m.kind === kind && m.side === fill.side && m.time === time)) return;
    this.markers = [...this.markers, { time, kind, side: fill.side, price: fill.price, reason }];
    this.#tell({ kind: 'markers' });
  }

  /** The open time of the candle that a time belongs to: an arrow stands at its candle. */
  #snap(time: number): number {
    return Math.floor(time / this.#timeframe) * this.#timeframe;
  }

  #close(candle: Candle): void {
    const last = this.candles.at(-1);
    if (last && candle[0] < last[0]) return;
    if (last && candle[0] === last[0]) {
      this.candles[this.candles.length - 1] = candle;
      return;
    }
    this.candles.push(candle);
    for (const values of Object.values(this.series)) values.push(null);
  }

  #indexOf(time: number): number {
    for (let i = this.candles.length - 1; i >= 0; i -= 1) {
      const open = this.candles[i]?.[0] ?? 0;
      if (open === time) return i;
      if (open < time) return -1;
    }
    return -1;
  }

  #trim(): void {
    const cut = this.candles.length - KEEP;
    this.candles = this.candles.slice(cut);
    for (const name of Object.keys(this.series)) this.series[name] = (this.series[name] ?? []).slice(cut);
    this.#tell({ kind: 'reset' });
  }

  #replace(candles: Candle[], forming: Candle | null, series: Record<string, Values>, markers: Marker[]): void {
    Object.assign(this, { candles, forming, series, markers });
    this.#early = null;
    this.#tell({ kind: 'reset' });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const OWN_SCALE = /^(rsi|adx|(plus|minus)_?di|di_?(plus|minus)|macd|signal|hist|histogram|stoch|momentum|confidence|score)/i;

/** Whether an indicator belongs on the price pane: nearly all of its values lie between half and twice the close. */
export function besidePrice(name: string, values: Values, candles: readonly Candle[]): boolean {
  if (OWN_SCALE.test(name)) return false;
  let near = 0;
  let known = 0;
  values.forEach((value, i) => {
    const close = candles[i]?.[4];
    if (value === null || close === undefined) return;
    known += 1;
    if (value > close / 2 && value < close * 2) near += 1;
  });
  return known === 0 || near >= known * 0.9;
}
