import { describe, expect, it } from 'vitest';
import { DecisionLog } from './decision-log.svelte';
import type { Decision, Signal } from './protocol';

const made = (minute: number, outcome: Decision['outcome'] = null, outcome_reason = ''): Decision => ({
  time: minute + 1, candle_time: minute, action: 'buy', strategy: 'SmaCrossover', regime: 'unknown', confidence: 1, reason: 'signal',
  indicators: {}, outcome, outcome_reason,
});
const told = (log: DecisionLog) => log.view('BTC', false).map((entry) => [entry.candle_time, entry.outcome, entry.outcome_reason]);
const signal = (minute: number) => ({ ...made(minute, 'refused', 'cooldown') }) as unknown as Signal;

describe('DecisionLog', () => {
  it('tells what became of a decision, from the snapshot or from the signal that follows', () => {
    const log = new DecisionLog();
    log.load('BTC', [made(2), made(1, 'refused', 'max_positions')]);
    log.signal('BTC', signal(2));
    log.add('BTC', made(3, 'order'));
    expect(told(log)).toEqual([
      [3, 'order', ''],
      [2, 'refused', 'cooldown'],
      [1, 'refused', 'max_positions'],
    ]);
    expect(log.view(null, true).map((entry) => entry.outcome)).toEqual(['order', 'refused', 'refused']);
  });

  it('keeps what is known where a newer telling does not say', () => {
    const log = new DecisionLog();
    log.signal('BTC', signal(1));
    log.add('BTC', made(1));
    expect(log.view('BTC', true)[0]).toMatchObject({ outcome: 'refused', outcome_reason: 'cooldown', regime: 'unknown' });
    log.load('BTC', [made(1)]);
    expect(told(log)).toEqual([[1, 'refused', 'cooldown']]);
  });
});
