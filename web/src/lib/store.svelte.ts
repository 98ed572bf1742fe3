import { AlertLog } from './alert-log.svelte';
import { upsert } from './backtests';
import { connect, olderCandles, whetherAuthorised, type Connection } from './connection';
import { ChartModel } from './chart-model';
import { DecisionLog } from './decision-log.svelte';
import { decimals } from './decimal';
import { Feed, type Sink } from './feed';
import {
  shortName,
  type AccountSnapshot,
  type Job,
  type Order,
  type Position,
  type PriceUpdate,
  type ServiceHealth,
  type Session,
  type StreamEvent,
  type SymbolSnapshot,
  type SymbolSummary,
  type Trade,
  type TradingSymbol,
  type Wallet,
} from './protocol';

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'login';

const FOLLOWED = 200;
const LISTED = 200;
const SPARK_POINTS = 60;
const EQUITY_POINTS = 4000;
const OLDER = 500;
const FRAME_SPACING_MS = 100;
const HIDDEN_SPACING_MS = 1000;
export const STALE_MS = 15_000;

/** One line of the watchlist. Each field is its own signal, so that a tick touches only what shows it. */
export class SymbolRow {
  readonly name: string;
  readonly symbol: TradingSymbol;
  price = $state<number | null>(null);
  direction = $state(0);
  /** Alternates with every change of price: restarts the flash. */
  beat = $state(false);
  changePct = $state<number | null>(null);
  regime = $state('unknown');
  strategy = $state('');
  spark = $state.raw<readonly number[]>([]);
  digits = $state<number | undefined>(undefined);

  constructor(summary: SymbolSummary) {
    this.name = shortName(summary.symbol);
    this.symbol = summary.symbol;
    this.summarise(summary);
  }

  summarise(summary: SymbolSummary): void {
    this.price = summary.price;
    this.changePct = summary.change_pct;
    this.regime = summary.regime;
    this.strategy = summary.strategy;
    this.spark = summary.spark;
  }

  tick(update: PriceUpdate): void {
    if (this.price !== null && update.price !== this.price) {
      this.direction = Math.sign(update.price - this.price);
      this.beat = !this.beat;
    }
    this.price = update.price;
    this.changePct = update.change_pct;
    const closed = update.closed_many ?? (update.closed ? [update.closed] : []);
    if (closed.length > 0) this.spark = [...this.spark, ...closed.map((candle) => candle[4])].slice(-SPARK_POINTS);
  }
}

/** The projection: what the server said, as the page shows it. Deltas wait for the next frame and are applied together. */
export class Desk implements Sink {
  link = $state<LinkState>('connecting');
  session = $state.raw<Session | null>(null);
  wallet = $state.raw<Wallet | null>(null);
  rows = $state.raw<readonly SymbolRow[]>([]);
  positions = $state.raw<readonly Position[]>([]);
  trades = $state.raw<readonly Trade[]>([]);
  orders = $state.raw<readonly Order[]>([]);
  health = $state.raw<readonly ServiceHealth[]>([]);
  /** Backtests, the newest first. */
  jobs = $state.raw<readonly Job[]>([]);
  equity = $state.raw<readonly (readonly [number, number])[]>([]);
  selected = $state('');
  marketTime = $state(0);
  /** Since the newest event, ms; updated once a second. */
  silence = $state(0);
  loadingOlder = $state(false);
  readonly row = $derived(this.rows.find((row) => row.name === this.selected));
  readonly position = $derived(this.positions.find((position) => shortName(position.symbol) === this.selected));
  readonly chart = new ChartModel();
  readonly decisions = new DecisionLog();
  readonly alerts = new AlertLog();

  #byName = new Map<string, SymbolRow>();
  #pending: StreamEvent[] = [];
  #scheduled = false;
  #flushedAt = 0;
  #heardAt = Date.now();
  #noneOlder = false;
  #connection: Connection | undefined;
  readonly feed = new Feed((event, body) => this.#connection?.request(event, body) ?? Promise.reject(new Error('not connected')), this);

  /** Connects and keeps the projection up to date from then on. */
  start(): void {
    this.#connection = connect({
      connected: () => {
        this.link = 'connected';
        this.#heardAt = Date.now();
        this.feed.connected();
      },
      disconnected: () => {
        if (this.link === 'connected') this.link = 'reconnecting';
        this.feed.disconnected();
      },
      unauthorised: () => (this.link = 'login'),
      snapshot: (snapshot) => this.feed.account(snapshot),
      event: (event) => {
        this.#heardAt = Date.now();
        this.feed.receive(event);
      },
    });
    // A frame asked for just before the page was hidden would come only when it is seen again.
    document.addEventListener('visibilitychange', () => this.flush());
    setInterval(() => (this.silence = Date.now() - this.#heardAt), 1000);
  }

  /** Tries the login again. */
  async retry(): Promise<void> {
    if (!(await whetherAuthorised())) return;
    this.link = 'connecting';
    this.#connection?.retry();
  }

  select(name: string): void {
    if (name === this.selected) return;
    this.selected = name;
    this.#noneOlder = false;
    this.chart.clear();
    this.feed.refresh(name);
  }

  /** Loads candles before the first one on the chart, once at a time, until there are none. */
  async loadOlder(): Promise<void> {
    const first = this.chart.candles[0];
    if (!first || this.loadingOlder || this.#noneOlder) return;
    this.loadingOlder = true;
    const name = this.selected;
    try {
      const older = await olderCandles(name, first[0], OLDER);
      if (name !== this.selected) return;
      this.#noneOlder = older.length === 0;
      this.chart.prepend(older);
    } catch (error) {
      this.#noneOlder = true;
      console.warn(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  account(snapshot: AccountSnapshot): void {
    this.flush();
    this.#heardAt = Date.now();
    this.session = snapshot.session;
    this.marketTime = snapshot.session.time;
    this.wallet = snapshot.wallet;
    this.equity = snapshot.equity_curve;
    this.positions = snapshot.positions;
    this.trades = snapshot.trades;
    this.orders = snapshot.orders;
    this.health = snapshot.health;
    this.alerts.load(snapshot.alerts);
    this.jobs = snapshot.jobs;
    this.#list(snapshot.symbols);
    const first = this.rows[0];
    if (!this.#byName.has(this.selected) && first) this.select(first.name);
    this.feed.follow(this.rows.slice(0, FOLLOWED).map((row) => row.name));
  }

  symbol(snapshot: SymbolSnapshot): void {
    this.flush();
    const name = shortName(snapshot.symbol);
    const row = this.#byName.get(name);
    if (row) {
      row.digits = decimals(snapshot.tick);
      row.regime = snapshot.regime;
      row.strategy = snapshot.strategy;
    }
    this.decisions.load(name, snapshot.decisions);
    if (name === this.selected) {
      this.#noneOlder = false;
      this.chart.load(snapshot, this.session?.timeframe_ms ?? 60_000);
    }
  }

  event(event: StreamEvent): void {
    this.#pending.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden page gets no frames, yet must not let the events pile up.
    if (document.hidden) setTimeout(() => this.flush(), HIDDEN_SPACING_MS);
    else setTimeout(() => requestAnimationFrame(() => this.flush()), Math.max(0, this.#flushedAt + FRAME_SPACING_MS - Date.now()));
  }

  /** Applies what is waiting. */
  flush(): void {
    this.#scheduled = false;
    this.#flushedAt = Date.now();
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) this.#apply(event);
  }

  #list(summaries: readonly SymbolSummary[]): void {
    const rows = summaries.map((summary) => {
      const row = this.#byName.get(shortName(summary.symbol));
      row?.summarise(summary);
      return row ?? new SymbolRow(summary);
    });
    this.#byName = new Map(rows.map((row) => [row.name, row]));
    this.rows = rows;
  }

  #apply({ name, body }: StreamEvent): void {
    switch (name) {
      case 'session':
        this.session = body;
        return this.#pass(body.time);
      case 'health':
        this.health = body.services;
        return;
      case 'alert':
        return this.alerts.add(body);
      case 'job_update':
        this.jobs = upsert(this.jobs, body).slice(0, LISTED);
        return;
      case 'wallet_update':
        this.wallet = body;
        if (body.point) this.equity = thinned([...this.equity, body.point]);
        return;
      case 'order_update':
        this.orders = [body, ...this.orders.filter((order) => order.client_order_id !== body.client_order_id)].slice(0, LISTED);
        return;
      case 'trade':
        this.trades = [body, ...this.trades].slice(0, LISTED);
        return;
      case 'position_update':
        return this.#hold(body);
      default:
        return this.#applyToSymbol({ name, body } as StreamEvent);
    }
  }

  #applyToSymbol({ name, body }: StreamEvent): void {
    if (!body.symbol) return;
    const short = shortName(body.symbol);
    const shown = short === this.selected;
    switch (name) {
      case 'price_update':
        this.#pass(body.time);
        this.#byName.get(short)?.tick(body);
        if (shown) this.chart.price(body);
        return;
      case 'regime_update': {
        const row = this.#byName.get(short);
        if (row) row.regime = body.regime;
        return;
      }
      case 'decision':
        this.decisions.add(short, body);
        if (shown) this.chart.decision(body);
        return;
      case 'signal':
        return this.decisions.signal(short, body);
      case 'fill':
        if (shown) this.chart.fill(body);
    }
  }

  #hold(position: Position & { closed?: boolean }): void {
    const name = shortName(position.symbol);
    const at = this.positions.findIndex((held) => shortName(held.symbol) === name);
    if (position.closed) this.positions = this.positions.filter((_, i) => i !== at);
    else if (at < 0) this.positions = [...this.positions, position];
    else this.positions = this.positions.with(at, position);
  }

  #pass(time: number): void {
    if (time > this.marketTime) this.marketTime = time;
  }
}

/** Half of the points once there are too many: dropping one with every new one would draw all of them each time. */
function thinned<T>(points: readonly T[]): readonly T[] {
  return points.length <= EQUITY_POINTS ? points : points.filter((_, i) => i % 2 === 0 || i === points.length - 1);
}

export const desk = new Desk();
