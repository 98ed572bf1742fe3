import { describe, expect, it } from 'vitest';
import { decimals, plain, round, sign, subtract } from './decimal';

describe('decimal', () => {
  it('subtracts where floats would not be exact', () => {
    expect(subtract('0.3', '0.1')).toBe('0.2');
    expect(subtract('1001.2', '1000')).toBe('1.2');
    expect(subtract('9007199254740993.00000001', '0.00000001')).toBe('9007199254740993.00000000');
    expect(subtract('1', '1.5')).toBe('-0.5');
  });

  it('rounds halves away from zero and pads', () => {
    expect(round('2.675', 2)).toBe('2.68');
    expect(round('-2.675', 2)).toBe('-2.68');
    expect(round('0.004', 2)).toBe('0.00');
    expect(round('5', 2)).toBe('5.00');
    expect(round('999.999', 2)).toBe('1000.00');
  });

  it('reads exponents as Python writes them', () => {
    expect(plain('1E-8')).toBe('0.00000001');
    expect(plain('1.20E+3')).toBe('1200');
    expect(plain('0E-8')).toBe('0');
  });

  it('tells signs, zero and what is no number', () => {
    expect([sign('-0.0001'), sign('0.00'), sign('-0'), sign('7'), sign('NaN')]).toEqual([-1, 0, 0, 1, 0]);
    expect([plain('abc'), round('', 2), subtract('1', 'x')]).toEqual([null, null, null]);
  });

  it('counts the decimals of a tick', () => {
    expect(['0.01', '0.010', '1', '1E-8', '5'].map(decimals)).toEqual([2, 2, 0, 8, 0]);
  });
});
