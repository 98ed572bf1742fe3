import { ACCOUNT_STREAM, type AccountSnapshot, type ProtocolError, type StreamEvent, type SymbolSnapshot } from './protocol';

/** Asks the server something and waits for its acknowledgement. */
export type Request = (event: string, body: object) => Promise<unknown>;

/** What gets the gapless result. */
export interface Sink {
  account(snapshot: AccountSnapshot): void;
  symbol(snapshot: SymbolSnapshot): void;
  event(event: StreamEvent): void;
}

interface Stream {
  last: number;
  /** A snapshot is wanted; events are held until it is there. */
  waiting: boolean;
  asking: boolean;
  askedAt: number;
  held: StreamEvent[];
}

const IN_FLIGHT = 4;
const HELD_LIMIT = 2000;
const ASK_SPACING_MS = 500;
const RETRY_MS = 2000;

/**
 * Turns numbered streams into snapshots followed by every delta exactly once: numbers already seen are dropped, a skipped
 * number asks for the snapshot again, and a new connection starts every followed stream anew.
 */
export class Feed {
  readonly #streams = new Map<string, Stream>();
  readonly #queue: string[] = [];
  #running = 0;
  /** Counts connections, so that an answer to a question of the one before is ignored. */
  #connection = 0;
  #online = false;
  /** The symbol asked for ahead of the others, also after the next connect. */
  #first: string | undefined;

  constructor(
    private readonly request: Request,
    private readonly sink: Sink,
  ) {
    this.#stream(ACCOUNT_STREAM);
  }

  /** A connection stands: the server sends the account by itself; the symbols are subscribed again. */
  connected(): void {
    this.#connection += 1;
    this.#online = true;
    this.#running = 0;
    this.#queue.length = 0;
    for (const [name, stream] of this.#streams) {
      Object.assign(stream, { waiting: true, asking: false, askedAt: 0, held: [] });
      if (name !== ACCOUNT_STREAM) this.#enqueue(name, name === this.#first);
    }
    this.#pump();
  }

  disconnected(): void {
    this.#online = false;
  }

  /** Follows these symbols; those followed already are left as they are. */
  follow(names: readonly string[]): void {
    for (const name of names) {
      if (this.#streams.has(name)) continue;
      this.#stream(name);
      this.#enqueue(name, false);
    }
    this.#pump();
  }

  /** Asks for a symbol's snapshot ahead of the others, with its candles; from then on it is the one that is asked for whole. */
  refresh(name: string): void {
    this.#first = name;
    this.#stream(name).waiting = true;
    this.#enqueue(name, true);
    this.#pump();
  }

  /** Takes the account snapshot, sent or asked for. */
  account(snapshot: AccountSnapshot): void {
    this.sink.account(snapshot);
    this.#resume(this.#stream(ACCOUNT_STREAM), snapshot.seq);
  }

  /** Takes one pushed event. */
  receive(event: StreamEvent): void {
    const { stream: name, seq } = event.body;
    const stream = this.#streams.get(name);
    if (!stream) return;
    if (stream.waiting) {
      if (stream.held.length < HELD_LIMIT) stream.held.push(event);
    } else if (seq === stream.last + 1) {
      stream.last = seq;
      this.sink.event(event);
    } else if (seq > stream.last) {
      stream.waiting = true;
      stream.held = [event];
      this.#enqueue(name, false);
      this.#pump();
    }
  }

  #stream(name: string): Stream {
    let stream = this.#streams.get(name);
    if (!stream) this.#streams.set(name, (stream = { last: 0, waiting: true, asking: false, askedAt: 0, held: [] }));
    return stream;
  }

  #resume(stream: Stream, seq: number): void {
    const held = stream.held;
    Object.assign(stream, { last: seq, waiting: false, held: [] });
    for (const event of held) this.receive(event);
  }

  #enqueue(name: string, first: boolean): void {
    const at = this.#queue.indexOf(name);
    if (this.#stream(name).asking || (at >= 0 && !first)) return;
    if (at >= 0) this.#queue.splice(at, 1);
    if (first) this.#queue.unshift(name);
    else this.#queue.push(name);
  }

  #pump(): void {
    while (this.#online && this.#running < IN_FLIGHT) {
      const name = this.#queue.shift();
      if (name === undefined) return;
      void this.#ask(name);
    }
  }

  async #ask(name: string): Promise<void> {
    const connection = this.#connection;
    const stream = this.#stream(name);
    stream.asking = true;
    this.#running += 1;
    // Should every snapshot be followed by a gap, asking again at once would be a storm.
    const early = stream.askedAt + ASK_SPACING_MS - Date.now();
    if (early > 0) await pause(early);
    stream.askedAt = Date.now();
    const whole = name === this.#first;
    let answer: unknown;
    try {
      if (name === ACCOUNT_STREAM) answer = await this.request('snapshot', {});
      // Only the chart needs candles.
      else answer = await this.request('subscribe_symbol', whole ? { symbol: name } : { symbol: name, candles: 0 });
    } catch {
      await pause(RETRY_MS);
    }
    if (connection !== this.#connection) return;
    this.#running -= 1;
    stream.asking = false;
    const wantedMore = !whole && name === this.#first;
    this.#take(name, wantedMore ? undefined : answer);
    this.#pump();
  }

  #take(name: string, answer: unknown): void {
    if (answer === undefined) this.#enqueue(name, name === this.#first);
    else if (refused(answer)) {
      console.warn(`Vela refused ${name}: ${answer.error} Accepted: ${answer.accepted}`);
      if (name !== ACCOUNT_STREAM) this.#streams.delete(name);
    } else if (name === ACCOUNT_STREAM) this.account(answer as AccountSnapshot);
    else {
      const snapshot = answer as SymbolSnapshot;
      this.sink.symbol(snapshot);
      this.#resume(this.#stream(name), snapshot.seq);
    }
  }
}

function refused(answer: unknown): answer is ProtocolError {
  return typeof answer === 'object' && answer !== null && 'error' in answer;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
