/** Exact arithmetic on decimal strings, as far as the page needs it: no value ever passes through a float. */

interface Exact {
  units: bigint;
  scale: number;
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function parse(value: string): Exact | null {
  const match = DECIMAL.exec(value.trim());
  if (!match) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const magnitude = BigInt(whole + fraction) * (scale < 0 ? 10n ** BigInt(-scale) : 1n);
  return { units: sign === '-' ? -magnitude : magnitude, scale: Math.max(scale, 0) };
}

function text({ units, scale }: Exact): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const sign = units < 0n ? '-' : '';
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
}

/** -1, 0 or 1; 0 also for what is no number. */
export function sign(value: string): -1 | 0 | 1 {
  const exact = parse(value);
  if (!exact || exact.units === 0n) return 0;
  return exact.units < 0n ? -1 : 1;
}

/** `a - b`, exact; null where either is no number. */
export function subtract(a: string, b: string): string | null {
  const left = parse(a);
  const right = parse(b);
  if (!left || !right) return null;
  const scale = Math.max(left.scale, right.scale);
  const widen = (x: Exact) => x.units * 10n ** BigInt(scale - x.scale);
  return text({ units: widen(left) - widen(right), scale });
}

/** Rounded to exactly `digits` decimals, halves away from zero; null where it is no number. */
export function round(value: string, digits: number): string | null {
  const exact = parse(value);
  if (!exact) return null;
  if (exact.scale <= digits) return text({ units: exact.units * 10n ** BigInt(digits - exact.scale), scale: digits });
  const step = 10n ** BigInt(exact.scale - digits);
  const magnitude = exact.units < 0n ? -exact.units : exact.units;
  const rounded = (magnitude + step / 2n) / step;
  return text({ units: exact.units < 0n ? -rounded : rounded, scale: digits });
}

/** Without an exponent and without trailing zeros; null where it is no number. */
export function plain(value: string): string | null {
  const exact = parse(value);
  if (!exact) return null;
  const written = text(exact);
  return written.includes('.') ? written.replace(/\.?0+$/, '') : written;
}

/** How many decimals a step such as `"0.010"` has: 2. */
export function decimals(step: string): number {
  return plain(step)?.split('.')[1]?.length ?? 0;
}
