import type { Decision, Signal } from './protocol';

export interface LoggedDecision extends Decision {
  key: string;
  symbol: string;
}

const PER_SYMBOL = 100;
const ALL = 200;
const FROM_SNAPSHOT = 20;
const REDRAW_MS = 500;

/** The newest decisions and signals, newest first, in all and per symbol. */
export class DecisionLog {
  #bySymbol = new Map<string, LoggedDecision[]>();
  #all: LoggedDecision[] = [];
  #signals: LoggedDecision[] = [];
  #version = $state(0);
  #redraw: ReturnType<typeof setTimeout> | undefined;

  /** The newest of one symbol, or of all with null. Reading it in markup follows its changes, at most two a second. */
  view(symbol: string | null, onlySignals: boolean): readonly LoggedDecision[] {
    void this.#version;
    if (onlySignals) return symbol === null ? [...this.#signals] : this.#signals.filter((entry) => entry.symbol === symbol);
    return [...(symbol === null ? this.#all : (this.#bySymbol.get(symbol) ?? []))];
  }

  /** The newest decision of every symbol. */
  newest(): LoggedDecision[] {
    void this.#version;
    return [...this.#bySymbol.values()].flatMap((entries) => entries.slice(0, 1));
  }

  load(symbol: string, decisions: readonly Decision[]): void {
    const known = new Map(this.#signals.map((entry) => [entry.key, entry]));
    const entries = decisions.map((decision) => {
      const entry = logged(symbol, decision);
      return merged(entry, known.get(entry.key));
    });
    this.#bySymbol.set(symbol, entries.slice(0, PER_SYMBOL));
    const others = this.#all.filter((entry) => entry.symbol !== symbol);
    this.#all = newestFirst([...others, ...entries.slice(0, FROM_SNAPSHOT)]).slice(0, ALL);
    const signals = entries.filter((entry) => entry.action !== 'hold');
    for (const entry of signals) known.set(entry.key, entry);
    this.#signals = newestFirst([...known.values()]).slice(0, ALL);
    this.#changed();
  }

  add(symbol: string, decision: Decision): void {
    const entry = logged(symbol, decision);
    const entries = this.#bySymbol.get(symbol) ?? [];
    this.#bySymbol.set(symbol, put(entries, entry, PER_SYMBOL));
    this.#all = put(this.#all, entry, ALL);
    if (entry.action !== 'hold') this.#signals = put(this.#signals, entry, ALL);
    this.#changed();
  }

  signal(symbol: string, signal: Signal): void {
    const key = `${symbol} ${signal.candle_time} ${signal.strategy}`;
    const outcome = { outcome: signal.outcome, outcome_reason: signal.outcome_reason };
    const tell = (entries: LoggedDecision[]) => entries.map((entry) => (entry.key === key ? { ...entry, ...outcome } : entry));
    if (!this.#signals.some((entry) => entry.key === key)) {
      const { time, candle_time, action, strategy, confidence } = signal;
      const missed = { time, candle_time, action, strategy, confidence, regime: '', reason: 'signal', indicators: {}, ...outcome, key, symbol };
      this.#signals = put(this.#signals, missed, ALL);
    }
    this.#signals = tell(this.#signals);
    this.#all = tell(this.#all);
    this.#bySymbol.set(symbol, tell(this.#bySymbol.get(symbol) ?? []));
    this.#changed();
  }

  // Hundreds of decisions a second would be unreadable and dear to draw.
  #changed(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#version += 1;
    }, REDRAW_MS);
  }
}

function logged(symbol: string, decision: Decision): LoggedDecision {
  return { ...decision, symbol, key: `${symbol} ${decision.candle_time} ${decision.strategy}` };
}

/** With the entry at the head; one of the same candle is replaced, keeping what became of it. */
function put(entries: LoggedDecision[], entry: LoggedDecision, limit: number): LoggedDecision[] {
  const same = entries.find((other) => other.key === entry.key);
  const rest = same ? entries.filter((other) => other !== same) : entries;
  return [merged(entry, same), ...rest.slice(0, limit - 1)];
}

/** The entry; where it does not tell what became of it, an older one of the same candle may. */
function merged(entry: LoggedDecision, older: LoggedDecision | undefined): LoggedDecision {
  return older && entry.outcome === null ? { ...entry, outcome: older.outcome, outcome_reason: older.outcome_reason } : entry;
}

function newestFirst(entries: LoggedDecision[]): LoggedDecision[] {
  return entries.sort((a, b) => b.time - a.time || (a.key < b.key ? -1 : 1));
}
