import { describe, expect, it } from 'vitest';
import { formatsFor } from './format';

const en = formatsFor('en-GB');
const es = formatsFor('es-ES');

describe('format', () => {
  it('groups the digits of a decimal string without losing one', () => {
    expect(en.decimal('12345678901234567890.123456789')).toBe('12,345,678,901,234,567,890.123456789');
    expect(es.decimal('12345678901234567890.123456789')).toBe('12.345.678.901.234.567.890,123456789');
    expect(en.decimal('-1234.50')).toBe('−1,234.5');
    expect(en.decimal('-0.001', 2)).toBe('0.00');
    expect(en.decimal('n/a')).toBe('n/a');
  });

  it('gives small amounts of money four decimals, others two', () => {
    expect(en.money('1001.239')).toBe('1,001.24');
    expect(en.money('0.00512')).toBe('0.0051');
    expect(en.money('1.3', true)).toBe('+1.3000');
    expect(en.money('-12.345', true)).toBe('−12.35');
    expect(es.money('1000')).toBe('1.000,00');
  });

  it('writes prices with the decimals of the tick', () => {
    expect(en.price(97000.1, 2)).toBe('97,000.10');
    expect(en.price(0.000021, 9)).toBe('0.000021000');
    expect(en.price(null)).toBe('–');
  });

  it('signs percentages, but not a zero', () => {
    expect(en.percent(1.234)).toBe('+1.23\u202f%');
    expect(es.percent(-1.234)).toBe('−1,23\u202f%');
    expect(en.percent(-0.001)).toBe('0.00\u202f%');
    expect(en.percent(33.333, false, 1)).toBe('33.3\u202f%');
  });

  it('shows times in UTC, midnight as 00', () => {
    expect(en.clock(1735689600000)).toBe('00:00:00');
    expect(en.moment(1735689600000)).toBe('1 Jan 2025, 00:00');
    expect(es.day(1735689600000)).toBe('1 ene 2025');
  });

  it('shortens spans to two units, seconds only alone', () => {
    expect([0, 9_000, 125_000, 7_500_000, 270_000_000].map((ms) => en.duration(ms))).toEqual(['0s', '9s', '2m', '2h 5m', '3d 3h']);
  });
});
