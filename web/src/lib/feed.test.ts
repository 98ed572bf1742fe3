import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Feed, type Sink } from './feed';
import type { AccountSnapshot, StreamEvent, SymbolSnapshot } from './protocol';

const BTC = { base: 'BTC', quote: 'USDT', full: 'BTCUSDT' };

const FEW_OF_BTC = 'subscribe_symbol BTC with 0 candles';

function event(stream: string, seq: number): StreamEvent {
  return { name: 'regime_update', body: { stream, seq, symbol: BTC, time: 0, regime: 'unknown', previous: 'unknown' } };
}

const account = (seq: number) => ({ stream: 'account', seq }) as AccountSnapshot;

/** A server that answers when it is told to. */
class Server {
  asked: string[] = [];
  #answers: ((value: unknown) => void)[] = [];
  request = (name: string, body: object): Promise<unknown> => {
    const few = 'candles' in body ? ` with ${String(body.candles)} candles` : '';
    this.asked.push('symbol' in body ? `${name} ${String(body.symbol)}${few}` : name);
    return new Promise((resolve) => this.#answers.push(resolve));
  };
  async answer(value: unknown): Promise<void> {
    this.#answers.shift()?.(value);
    await vi.advanceTimersByTimeAsync(0);
  }
}

class Recorder implements Sink {
  log: string[] = [];
  account = (snapshot: AccountSnapshot) => void this.log.push(`account@${snapshot.seq}`);
  symbol = (snapshot: SymbolSnapshot) => void this.log.push(`${snapshot.stream}@${snapshot.seq}`);
  event = ({ body }: StreamEvent) => void this.log.push(`${body.stream}:${body.seq}`);
}

describe('Feed', () => {
  let server: Server;
  let sink: Recorder;
  let feed: Feed;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new Server();
    sink = new Recorder();
    feed = new Feed(server.request, sink);
    feed.connected();
    feed.account(account(5));
  });
  afterEach(() => vi.useRealTimers());

  const take = (stream: string, ...seqs: number[]) => seqs.forEach((seq) => feed.receive(event(stream, seq)));

  it('drops what was seen already', () => {
    take('account', 4, 5, 6, 6, 7, 5);
    expect(sink.log).toEqual(['account@5', 'account:6', 'account:7']);
    expect(server.asked).toEqual([]);
  });

  it('asks for the account again when a number is skipped, and loses nothing meanwhile', async () => {
    take('account', 6, 8, 9, 10);
    expect(server.asked).toEqual(['snapshot']);
    await server.answer(account(9));
    take('account', 11);
    expect(sink.log).toEqual(['account@5', 'account:6', 'account@9', 'account:10', 'account:11']);
  });

  it('subscribes a symbol again when its stream skips one; other streams go on', async () => {
    feed.follow(['BTC']);
    await server.answer({ stream: 'BTC', seq: 17 });
    take('BTC', 18, 20);
    take('account', 6);
    await vi.advanceTimersByTimeAsync(600);
    expect(server.asked).toEqual([FEW_OF_BTC, FEW_OF_BTC]);
    await server.answer({ stream: 'BTC', seq: 20 });
    take('BTC', 21);
    expect(sink.log).toEqual(['account@5', 'BTC@17', 'BTC:18', 'account:6', 'BTC@20', 'BTC:21']);
  });

  it('holds events that overtake the snapshot', async () => {
    feed.follow(['BTC']);
    take('BTC', 17, 18);
    await server.answer({ stream: 'BTC', seq: 17 });
    expect(sink.log).toEqual(['account@5', 'BTC@17', 'BTC:18']);
  });

  it('does not storm the server when every snapshot is followed by a gap', async () => {
    feed.follow(['BTC']);
    for (let i = 0; i < 20; i += 1) {
      await server.answer({ stream: 'BTC', seq: 100 * i });
      take('BTC', 100 * i + 50);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(server.asked.length).toBeLessThanOrEqual(3);
  });

  it('starts every stream anew on a new connection, even one that counts from zero again', async () => {
    feed.follow(['BTC', 'ETH']);
    feed.refresh('ETH');
    await server.answer({ stream: 'BTC', seq: 17 });
    feed.disconnected();
    server.asked = [];
    feed.connected();
    expect(server.asked).toEqual(['subscribe_symbol ETH', FEW_OF_BTC]);
    feed.account(account(0));
    take('account', 1);
    expect(sink.log.slice(-2)).toEqual(['account@0', 'account:1']);
  });

  it('ignores the answer to a question of an earlier connection', async () => {
    feed.follow(['BTC']);
    feed.connected();
    await server.answer({ stream: 'BTC', seq: 900 });
    expect(sink.log).not.toContain('BTC@900');
    await server.answer({ stream: 'BTC', seq: 3 });
    expect(sink.log).toContain('BTC@3');
  });

  it('asks for few at a time, the refreshed one first', async () => {
    feed.follow(['A', 'B', 'C', 'D', 'E', 'F']);
    feed.refresh('F');
    expect(server.asked).toHaveLength(4);
    await server.answer({ stream: 'A', seq: 1 });
    expect(server.asked.at(-1)).toBe('subscribe_symbol F');
  });

  it('asks for candles of the refreshed symbol only, and again where it was asked without', async () => {
    feed.follow(['BTC', 'ETH']);
    feed.refresh('BTC');
    await server.answer({ stream: 'BTC', seq: 1 });
    take('BTC', 2);
    expect(sink.log).toEqual(['account@5']);
    await vi.advanceTimersByTimeAsync(600);
    expect(server.asked).toEqual([FEW_OF_BTC, 'subscribe_symbol ETH with 0 candles', 'subscribe_symbol BTC']);
    await server.answer({ stream: 'ETH', seq: 4 });
    await server.answer({ stream: 'BTC', seq: 1 });
    expect(sink.log).toEqual(['account@5', 'ETH@4', 'BTC@1', 'BTC:2']);
  });

  it('gives up on a symbol that the server refuses', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    feed.follow(['NOPE']);
    await server.answer({ error: 'unknown symbol', accepted: 'BTC' });
    take('NOPE', 1, 2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(1);
    expect(warn).toHaveBeenCalledOnce();
  });
});
