/** Types of the protocol between page and server (docs/page-protocol.md). All times are milliseconds UTC. */

/** An exact decimal number as text; never parsed to a float for arithmetic that is shown as exact. */
export type Decimal = string;

/** `[open_time, open, high, low, close, volume]` */
export type Candle = [time: number, open: number, high: number, low: number, close: number, volume: number];

export interface TradingSymbol {
  base: string;
  quote: string;
  full: string;
}

export type Regime = 'bull_trend' | 'bear_trend' | 'sideways_range' | 'high_volatility' | 'unknown';
export type Action = 'buy' | 'sell' | 'hold';
export type Side = 'BUY' | 'SELL';

export interface Session {
  version: string;
  mode: string;
  market: string;
  timeframe: string;
  timeframe_ms: number;
  speed: string;
  time: number;
  ended: boolean;
  candles: number;
  decisions: number;
  refused_candles: Record<string, number>;
  settings: Record<string, string | number | boolean | null>;
}

export interface SymbolSummary {
  symbol: TradingSymbol;
  price: number | null;
  change_pct: number | null;
  regime: string;
  strategy: string;
  spark: number[];
}

export interface Wallet {
  quote: string;
  time: number;
  initial_capital: Decimal;
  cash: Decimal;
  free: Decimal;
  equity: Decimal;
  realised_pnl: Decimal;
  unrealised_pnl: Decimal;
  fees: Decimal;
  /** Round trips closed in the account's whole life, and how many of them with a profit after fees. */
  trades: number;
  wins: number;
}

export interface Position {
  symbol: TradingSymbol;
  side: string;
  quantity: Decimal;
  entry_price: Decimal;
  entry_time: number;
  cost: Decimal;
  price: number | null;
  stop_price: Decimal | null;
  stop_state: string;
  take_profit_price: Decimal | null;
  unrealised_pnl: Decimal;
  unrealised_pct: number | null;
  strategy: string;
}

export interface Trade {
  symbol: TradingSymbol;
  side: string;
  entry_time: number;
  entry_price: Decimal;
  exit_time: number;
  exit_price: Decimal;
  quantity: Decimal;
  fees: Decimal;
  pnl: Decimal;
  return_pct: number;
  entry_reason: string;
  exit_reason: string;
  regime: string;
}

export interface Order {
  client_order_id: string;
  symbol: TradingSymbol;
  side: Side;
  type: string;
  purpose: string;
  status: string;
  quantity: Decimal;
  filled_quantity: Decimal;
  price: Decimal | null;
  stop_price: Decimal | null;
  average_price: Decimal | null;
  time: number;
  reason: string;
}

export interface ServiceHealth {
  service: string;
  status: string;
  beat_age_ms: number | null;
  restarts: number;
  detail: string;
}

export interface Alert {
  time: number;
  level: string;
  text: string;
}

/** Figures of a result: counts and percentages as numbers, money as text; null where one is undefined. */
export type JobSummary = Record<string, number | Decimal | null>;

/** A backtest and how far it has come. `created`, `started` and `finished` are the wall clock's. */
export interface Job {
  id: string;
  strategy: string;
  parameters: Record<string, string>;
  symbols: TradingSymbol[];
  timeframe: string | null;
  from: number | null;
  to: number | null;
  rules: Record<string, string>;
  created: number;
  state: string;
  stage: string;
  /** 0 to 1. */
  progress: number;
  started: number | null;
  finished: number | null;
  summary: JobSummary | null;
  error: string;
}

export interface Parameter {
  default: number;
  low: number;
  high: number;
}

export interface Strategies {
  strategies: { name: string; what: string; shipped: boolean; suits: Regime[]; parameters: Record<string, Parameter> }[];
  /** Why the user's own are missing; empty if none is. */
  problem: string;
}

/** Candles that are stored; `first` and `last` are open times. */
export interface Series {
  exchange: string;
  symbol: TradingSymbol;
  timeframe: string;
  first: number;
  last: number;
  count: number;
  missing: number;
}

export interface AccountSnapshot {
  stream: 'account';
  seq: number;
  session: Session;
  symbols: SymbolSummary[];
  wallet: Wallet;
  equity_curve: [time: number, equity: number][];
  positions: Position[];
  trades: Trade[];
  orders: Order[];
  health: ServiceHealth[];
  alerts: Alert[];
  jobs: Job[];
}

export interface Marker {
  time: number;
  kind: 'entry' | 'exit';
  side: Side;
  price: Decimal;
  reason: string;
}

export interface Decision {
  time: number;
  candle_time: number;
  action: Action;
  strategy: string;
  regime: string;
  confidence: number | null;
  reason: string;
  indicators: Record<string, number | null>;
  /** What became of its signal, once that was handled. */
  outcome: 'order' | 'refused' | null;
  outcome_reason: string;
  skipped?: number;
}

export interface SymbolSnapshot {
  stream: string;
  seq: number;
  symbol: TradingSymbol;
  strategy: string;
  regime: string;
  tick: Decimal;
  candles: Candle[];
  forming: Candle | null;
  markers: Marker[];
  series: Record<string, (number | null)[]>;
  decisions: Decision[];
}

export interface PriceUpdate {
  time: number;
  price: number;
  forming: Candle | null;
  closed: Candle | null;
  closed_many?: Candle[];
  change_pct: number | null;
}

export interface RegimeUpdate {
  time: number;
  regime: string;
  previous: string;
}

export interface Signal {
  time: number;
  candle_time: number;
  action: 'buy' | 'sell';
  strategy: string;
  confidence: number | null;
  outcome: 'order' | 'refused';
  outcome_reason: string;
}

export interface Fill {
  fill_id: string;
  client_order_id: string;
  side: Side;
  price: Decimal;
  quantity: Decimal;
  fee: Decimal;
  fee_asset: string;
  time: number;
  purpose: 'entry' | 'exit' | 'stop' | 'take_profit';
  reason: string;
}

/** What every pushed event carries. Session, health and alert events have no symbol. */
export interface Envelope {
  stream: string;
  seq: number;
  symbol?: TradingSymbol;
}

/** Body of every pushed event, beside the envelope. */
export interface EventBodies {
  price_update: PriceUpdate;
  regime_update: RegimeUpdate;
  decision: Decision;
  signal: Signal;
  order_update: Order;
  fill: Fill;
  position_update: Position & { closed?: boolean };
  trade: Trade;
  wallet_update: Wallet & { point?: [time: number, equity: number] };
  session: Session;
  health: { services: ServiceHealth[] };
  alert: Alert;
  job_update: Job;
}

export type EventName = keyof EventBodies;
export type StreamEvent = { [K in EventName]: { name: K; body: EventBodies[K] & Envelope } }[EventName];

export const EVENT_NAMES: readonly EventName[] = [
  'price_update',
  'regime_update',
  'decision',
  'signal',
  'order_update',
  'fill',
  'position_update',
  'trade',
  'wallet_update',
  'session',
  'health',
  'alert',
  'job_update',
];

export const ACCOUNT_STREAM = 'account';

export interface ProtocolError {
  error: string;
  accepted: string;
}

const DEFAULT_QUOTE = 'USDT';

/** The name that requests take and streams carry: `BTC`, or `ETH/BTC` where the quote is not USDT. */
export function shortName(symbol: TradingSymbol): string {
  return symbol.quote === DEFAULT_QUOTE ? symbol.base : `${symbol.base}/${symbol.quote}`;
}
