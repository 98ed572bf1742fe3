import { plain, round, sign } from './decimal';

/** Locale-bound formatting. Decimal strings keep every digit; market prices and percentages are floats. */
export interface Formats {
  /** Groups the digits of a decimal string; with `digits`, rounded exactly. Text that is no number is returned as it is. */
  decimal(value: string, digits?: number): string;
  /** An amount of money: two decimals, four where it is small. */
  money(value: string, signed?: boolean): string;
  /** A market price with a fixed number of decimals, or as many as its size asks for. */
  price(value: number | null | undefined, digits?: number): string;
  percent(value: number | null | undefined, signed?: boolean, digits?: number): string;
  count(value: number): string;
  compact(value: number): string;
  /** `13:05:09`, UTC. */
  clock(ms: number): string;
  /** `5 Jan 2025, 13:05`, UTC. */
  moment(ms: number): string;
  /** `5 Jan 2025`, UTC. */
  day(ms: number): string;
  /** `5 Jan, 13:05:09`, UTC. */
  stamp(ms: number): string;
  /** The two largest units of a span, seconds only alone: `2h 5m`, `40m`, `9s`. */
  duration(ms: number): string;
}

const MINUS = '−';
const NONE = '–';

function priceDigits(value: number): number {
  const size = Math.abs(value);
  if (size >= 1000) return 2;
  if (size >= 1) return 4;
  return Math.min(10, 4 - Math.floor(Math.log10(size || 1)));
}

function moneyDigits(value: string): number {
  const whole = /^[+-]?0*(\d*)/.exec(plain(value) ?? value)?.[1] ?? '';
  return whole.length >= 2 ? 2 : 4;
}

function spans(ms: number): [amount: number, unit: string][] {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const all: [number, string][] = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ];
  const first = all.findIndex(([amount]) => amount > 0);
  if (first < 0) return [[0, 'second']];
  return all.slice(first, first + 2).filter(([amount, unit], i) => i === 0 || (amount > 0 && unit !== 'second'));
}

function cached<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make(key)));
    return value;
  };
}

function decimalFormatter(locale: string): Formats['decimal'] {
  const parts = new Intl.NumberFormat(locale, { useGrouping: 'always' }).formatToParts(1234567.5);
  const group = parts.find((part) => part.type === 'group')?.value ?? ',';
  const point = parts.find((part) => part.type === 'decimal')?.value ?? '.';
  return (value, digits) => {
    const written = digits === undefined ? plain(value) : round(value, digits);
    if (written === null) return value;
    const [whole = '0', fraction] = written.replace('-', '').split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, group);
    const negative = written.startsWith('-') && sign(written) !== 0;
    return (negative ? MINUS : '') + grouped + (fraction === undefined ? '' : point + fraction);
  };
}

/** All formatters of a locale such as `en-GB`. Formatters are built once: building one costs more than using it. */
export function formatsFor(locale: string): Formats {
  const fixed = cached(
    (digits: number) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: 'always' }),
  );
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0, useGrouping: 'always' });
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
  const unit = cached((name: string) => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow' }));
  const times = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hourCycle: 'h23', ...options });
  const clock = times({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const moment = times({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
  const day = times({ day: 'numeric', month: 'short', year: 'numeric' });
  const stamp = times({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const decimal = decimalFormatter(locale);
  const number = (value: number, digits: number) => fixed(digits).format(value).replace('-', MINUS);

  return {
    decimal,
    money(value, signed = false) {
      const written = decimal(value, moneyDigits(value));
      return signed && sign(value) > 0 ? `+${written}` : written;
    },
    price: (value, digits) => (value == null ? NONE : number(value, digits ?? priceDigits(value))),
    percent(value, signed = true, digits = 2) {
      if (value == null) return NONE;
      const shown = Number(value.toFixed(digits)) || 0;
      return `${signed && shown > 0 ? '+' : ''}${number(shown, digits)}\u202f%`;
    },
    count: (value) => whole.format(value),
    compact: (value) => compact.format(value),
    clock: (ms) => clock.format(ms),
    moment: (ms) => moment.format(ms),
    day: (ms) => day.format(ms),
    stamp: (ms) => stamp.format(ms),
    duration: (ms) => spans(ms).map(([amount, name]) => unit(name).format(amount)).join(' '),
  };
}

/** The sign that goes with a colour, so that colour is never the only one. */
export function arrow(direction: number): string {
  if (direction > 0) return '▲';
  return direction < 0 ? '▼' : '■';
}
