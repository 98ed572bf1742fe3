import { io } from 'socket.io-client';
import type { Request } from './feed';
import { EVENT_NAMES, type AccountSnapshot, type Candle, type StreamEvent } from './protocol';

export interface Listener {
  connected(): void;
  disconnected(): void;
  unauthorised(): void;
  snapshot(snapshot: AccountSnapshot): void;
  event(event: StreamEvent): void;
}

export interface Connection {
  request: Request;
  /** Connects now instead of at the next attempt. */
  retry(): void;
}

const ANSWER_MS = 10_000;

function address(path: string): URL {
  return new URL(path, document.baseURI);
}

/** Opens the Socket.IO connection and keeps reopening it. */
export function connect(listener: Listener): Connection {
  const socket = io(address('.').origin, {
    path: address('socket.io').pathname,
    transports: ['websocket'],
    autoConnect: false,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
  });
  socket.on('connect', () => listener.connected());
  socket.on('disconnect', (why) => {
    listener.disconnected();
    // The library does not come back by itself from a server that closed the door on purpose.
    if (why === 'io server disconnect') setTimeout(() => socket.connect(), 1000);
  });
  socket.on('connect_error', () => {
    listener.disconnected();
    void whetherAuthorised().then((authorised) => {
      if (!authorised) listener.unauthorised();
      else if (!socket.active) setTimeout(() => socket.connect(), 2000);
    });
  });
  socket.on('snapshot', (body: AccountSnapshot) => listener.snapshot(body));
  for (const name of EVENT_NAMES) socket.on(name, (body: StreamEvent['body']) => listener.event({ name, body } as StreamEvent));
  socket.connect();
  return {
    request: (event, body) => socket.timeout(ANSWER_MS).emitWithAck(event, body),
    retry: () => socket.disconnect().connect(),
  };
}

/** False where the server answers 401; a server that does not answer says nothing about the login. */
export async function whetherAuthorised(): Promise<boolean> {
  try {
    return (await fetch(address('api/v1/snapshot'), { cache: 'no-store' })).status !== 401;
  } catch {
    return true;
  }
}

/** Closed candles that opened before a time, ascending. */
export async function olderCandles(symbol: string, before: number, limit: number): Promise<Candle[]> {
  const url = address(`api/v1/symbols/${encodeURIComponent(symbol)}/candles?before=${before}&limit=${limit}`);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`candles of ${symbol}: HTTP ${response.status}`);
  const body = (await response.json()) as Candle[] | { candles: Candle[] };
  const candles = Array.isArray(body) ? body : body.candles;
  return candles.sort((a, b) => a[0] - b[0]);
}
