// A pretend Vela for work on the page: a random walk behind the real protocol. Development only.
//   npm run build && SYMBOLS=12 npm run mock     then open http://127.0.0.1:5000
// SYMBOLS  how many · RATE  price updates a second and symbol · PACE  seconds a candle lasts · STATE  login | ended | empty
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from 'socket.io';

const { SYMBOLS = '8', RATE = '5', PACE = '2', PORT = '5000', STATE = '' } = process.env;
const STATIC = fileURLToPath(new URL('../../src/vela/dashboard/static/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP = "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const MINUTE = 60_000;
const START = [97000, 3400, 190, 0.32, 2.3, 36, 0.000021, 0.9, 22, 7.1];
const BASES = ['BTC', 'ETH', 'SOL', 'DOGE', 'XRP', 'AVAX', 'SHIB', 'ADA', 'LINK', 'DOT'];
const REGIMES = ['bull_trend', 'bear_trend', 'sideways_range', 'high_volatility', 'unknown'];
const STRATEGIES = ['SmaCrossover', 'RsiMeanReversion', 'MacdStrategy', 'BollingerBreakout'];
const SERVICES = ['market-data', 'brain', 'orders', 'persistence', 'historical', 'simulator', 'strategy-optimizer', 'dashboard', 'alerts'];

let seed = 7;
const random = () => ((seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32);
const pick = (list) => list[Math.floor(random() * list.length)];

const seqs = { account: 0 };
let clock = 1735689600000 + 9 * 3_600_000;
let equity = 1000;
const curve = [];

function makeSymbol(i) {
  const base = BASES[i] ?? `C${i}`;
  const start = START[i % START.length];
  const digits = start > 1000 ? 2 : start > 1 ? 3 : start > 0.01 ? 5 : 9;
  const name = base;
  seqs[name] = 0;
  const made = { name, digits, symbol: { base, quote: 'USDT', full: `${base}USDT` }, price: start, candles: [], markers: [], decisions: [] };
  made.regime = REGIMES[i % 5];
  made.strategy = STRATEGIES[i % 4];
  for (let k = 900; k > 0; k -= 1) made.candles.push(candle(made, clock - k * MINUTE));
  made.open = made.price;
  made.forming = [clock, made.price, made.price, made.price, made.price, 0];
  for (let k = 500; k > 0; k -= 37) {
    const entry = k % 2 === 0;
    const c = made.candles.at(-k);
    made.markers.push({ time: c[0], kind: entry ? 'entry' : 'exit', side: entry ? 'BUY' : 'SELL', price: String(c[4]), reason: entry ? 'signal' : pick(['stop_loss', 'take_profit', 'trailing', 'signal']) });
  }
  for (let k = 40; k > 0; k -= 1) made.decisions.unshift(decide(made, made.candles.at(-k)[0]));
  return made;
}

function candle(s, time) {
  const open = s.price;
  const moves = [1, 2, 3, 4].map(() => (s.price *= 1 + (random() - 0.497) * 0.0016));
  const fix = (x) => Number(x.toFixed(s.digits));
  return [time, fix(open), fix(Math.max(open, ...moves)), fix(Math.min(open, ...moves)), fix(s.price), random() * 40];
}

function average(candles, n) {
  let sum = 0;
  return candles.map((c, i) => ((sum += c[4] - (i >= n ? candles[i - n][4] : 0)), i >= n - 1 ? sum / n : null));
}

function series(s, candles) {
  if (s.strategy === 'RsiMeanReversion') return { rsi: candles.map((c, i) => 50 + 30 * Math.sin(i / 17) + 8 * Math.sin(i / 3)) };
  return { fast: average(candles, 10), slow: average(candles, 30) };
}

function decide(s, time) {
  const action = random() < 0.12 ? pick(['buy', 'sell']) : 'hold';
  const last = Object.fromEntries(Object.entries(series(s, s.candles.slice(-60))).map(([k, v]) => [k, v.at(-1)]));
  const reason = action === 'hold' ? pick(['no_signal', 'no_signal', 'warming_up 120/200', 'not_applicable']) : 'signal';
  return { time: time + MINUTE, candle_time: time, action, strategy: s.strategy, regime: s.regime, confidence: action === 'hold' ? 0 : 0.7, reason, indicators: last, outcome: action === 'hold' ? null : pick(['order', 'refused']), outcome_reason: 'max_positions', skipped: 0 };
}

const symbols = Array.from({ length: Number(SYMBOLS) }, (_, i) => makeSymbol(i));
const byName = Object.fromEntries(symbols.map((s) => [s.name, s]));
for (let k = 600; k > 0; k -= 1) curve.push([clock - k * MINUTE, (equity += (random() - 0.49) * 0.5)]);

const change = (s) => (s.price / s.candles.at(-400)[4] - 1) * 100;
const money = (x) => x.toFixed(4);
const wallet = () => ({ quote: 'USDT', time: clock, initial_capital: '1000', cash: money(equity - 96.3), free: money(equity - 96.3), equity: money(equity), realised_pnl: '-1.8412', unrealised_pnl: money(equity - 998.2), fees: '2.4310', trades: trades.length, wins: trades.filter((trade) => Number(trade.pnl) > 0).length });
const session = () => ({ version: '0.1.0', mode: 'paper', market: 'synthetic', timeframe: '1m', timeframe_ms: MINUTE, speed: '60', time: clock, ended: STATE === 'ended', candles: 1234, decisions: 1234, refused_candles: { off_grid: 3, duplicate: 1, revised: 0 }, settings: { stake: '50', max_positions: 2, stop_loss_pct: '2', fee: '0.001', cooldown_ms: 600000 } });

function position(s, i) {
  const entry = s.candles.at(-40)[4];
  const pnl = (s.price / entry - 1) * 50;
  return { symbol: s.symbol, side: 'LONG', quantity: (50 / entry).toFixed(8), entry_price: entry.toFixed(s.digits), entry_time: s.candles.at(-40)[0], cost: '50', price: s.price, stop_price: (entry * 0.99).toFixed(s.digits), stop_state: i === 0 ? 'resting' : 'guarded', take_profit_price: i === 0 ? (entry * 1.012).toFixed(s.digits) : null, unrealised_pnl: pnl.toFixed(6), unrealised_pct: pnl * 2, strategy: s.strategy };
}

function trade(k) {
  const s = symbols[k % Math.min(symbols.length, 8)];
  const c = s.candles.at(-k * 9 - 60);
  const pct = (random() - 0.45) * 3;
  return { symbol: s.symbol, side: 'LONG', entry_time: c[0], entry_price: c[1].toFixed(s.digits), exit_time: c[0] + 47 * MINUTE, exit_price: (c[1] * (1 + pct / 100)).toFixed(s.digits), quantity: (50 / c[1]).toFixed(6), fees: '0.1', pnl: (pct / 2).toFixed(5), return_pct: pct, entry_reason: 'signal', exit_reason: pick(['signal', 'stop_loss', 'take_profit', 'trailing']), regime: s.regime };
}

function order(k) {
  const s = symbols[k % Math.min(symbols.length, 8)];
  const stop = k % 3 === 0;
  return { client_order_id: `vela-${1000 - k}`, symbol: s.symbol, side: stop || k % 2 ? 'SELL' : 'BUY', type: stop ? 'STOP' : 'MARKET', purpose: stop ? 'stop' : k % 2 ? 'exit' : 'entry', status: stop ? pick(['ACCEPTED', 'CANCELLED']) : pick(['FILLED', 'FILLED', 'REJECTED']), quantity: (50 / s.price).toFixed(6), filled_quantity: stop ? '0' : (50 / s.price).toFixed(6), price: null, stop_price: stop ? s.price.toFixed(s.digits) : null, average_price: stop ? null : s.price.toFixed(s.digits), time: clock - k * 9 * MINUTE, reason: stop ? 'stop_loss' : 'signal' };
}

const many = STATE === 'empty' ? 0 : 24;
const trades = Array.from({ length: many }, (_, k) => trade(k));
const orders = Array.from({ length: many }, (_, k) => order(k));
const health = () => SERVICES.map((service, i) => ({ service, status: i === 6 ? 'starting' : 'running', beat_age_ms: Math.round(random() * 900), restarts: i === 8 ? 1 : 0, detail: i === 6 ? 'waiting for 200 candles' : '' }));
const alerts = many ? [{ time: clock - MINUTE, level: 'critical', text: 'brain failed and restarts' }, { time: clock - 9 * MINUTE, level: 'warning', text: 'ETH: the strategy failed' }] : [];
const held = () => (many ? symbols.slice(0, 2).map(position) : []);

function accountSnapshot() {
  const list = symbols.map((s) => ({ symbol: s.symbol, price: s.price, change_pct: change(s), regime: s.regime, strategy: s.strategy, spark: s.candles.slice(-60).map((c) => c[4]) }));
  return { stream: 'account', seq: seqs.account, session: session(), symbols: list, wallet: wallet(), equity_curve: curve.slice(-2000), positions: held(), trades, orders, health: health(), alerts, jobs: [] };
}

function symbolSnapshot(s, count = 500) {
  const candles = s.candles.slice(s.candles.length - count);
  return { stream: s.name, seq: seqs[s.name], symbol: s.symbol, strategy: s.strategy, regime: s.regime, tick: (10 ** -s.digits).toFixed(s.digits), candles, forming: s.forming, markers: s.markers, series: series(s, candles), decisions: s.decisions };
}

const http = createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const json = (code, value) => response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const older = /^\/api\/v1\/symbols\/(.+)\/candles$/.exec(url.pathname);
  if (url.pathname.startsWith('/api') && STATE === 'login') return json(401, { error: 'not logged in', accepted: 'a cookie' });
  if (older) return json(200, { candles: byName[decodeURIComponent(older[1])].candles.filter((c) => c[0] < Number(url.searchParams.get('before'))).slice(-500) });
  if (url.pathname === '/api/v1/snapshot') return json(200, accountSnapshot());
  const file = join(STATIC, normalize(url.pathname === '/' ? '/index.html' : url.pathname));
  if (!file.startsWith(STATIC) || !existsSync(file)) return json(404, { error: 'not found', accepted: '/' });
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP });
  createReadStream(file).pipe(response);
});

const io = new Server(http, { transports: ['websocket'] });
io.use((_, next) => next(STATE === 'login' ? new Error('not logged in') : undefined));
io.on('connection', (socket) => {
  socket.emit('snapshot', accountSnapshot());
  socket.on('snapshot', (_, answer) => answer(accountSnapshot()));
  socket.on('subscribe_symbol', ({ symbol, candles }, answer) => {
    if (!byName[symbol]) return answer({ error: `unknown symbol ${symbol}`, accepted: Object.keys(byName).join(', ') });
    socket.join(symbol);
    return answer(symbolSnapshot(byName[symbol], candles));
  });
});

function send(stream, event, value, symbol) {
  const to = stream === 'account' ? io : io.to(stream);
  to.emit(event, { stream, seq: (seqs[stream] += 1), ...(symbol ? { symbol } : {}), ...value });
}

const ticks = Number(RATE) * Number(PACE);
let tick = 0;
function advance() {
  tick += 1;
  const closing = tick % ticks === 0;
  clock += MINUTE / ticks;
  for (const s of symbols) {
    s.price = Number((s.price * (1 + (random() - 0.495) * 0.0006)).toFixed(s.digits));
    const f = s.forming;
    s.forming = [f[0], f[1], Math.max(f[2], s.price), Math.min(f[3], s.price), s.price, f[5] + random()];
    const closed = closing ? s.forming : null;
    if (closed) {
      s.candles.push(closed);
      s.forming = [closed[0] + MINUTE, s.price, s.price, s.price, s.price, 0];
      const decision = decide(s, closed[0]);
      s.decisions = [decision, ...s.decisions].slice(0, 100);
      send(s.name, 'decision', decision, s.symbol);
      if (decision.action !== 'hold') send(s.name, 'signal', decision, s.symbol);
    }
    send(s.name, 'price_update', { time: clock, price: s.price, forming: s.forming, closed, change_pct: change(s) }, s.symbol);
  }
  if (tick % 5 === 0) for (const p of held()) send('account', 'position_update', p, p.symbol);
  if (!closing) return;
  equity += (random() - 0.48) * 0.4;
  curve.push([clock, equity]);
  send('account', 'wallet_update', { ...wallet(), point: [clock, equity] });
  send('account', 'health', { services: health() });
}

if (STATE !== 'ended') setInterval(advance, 1000 / Number(RATE));
http.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
