import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from './messages.en';
import { es } from './messages.es';
import { REASON_CODES, reasonCode, reasonLabel, reasonSentence } from './reasons';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('messages', () => {
  it('have the same keys and placeholders in both languages', () => {
    expect(Object.keys(es).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      expect(placeholders(es[key as keyof typeof en]), key).toEqual(placeholders(text));
      expect(es[key as keyof typeof en].trim(), key).not.toBe('');
    }
  });
});

describe('components', () => {
  it('show text as text only', () => {
    const folder = new URL('../components/', import.meta.url);
    for (const file of readdirSync(folder)) expect(readFileSync(new URL(file, folder), 'utf8'), file).not.toContain('{@html');
  });
});

describe('reasons', () => {
  it('have a sentence in both languages for every known code', () => {
    for (const code of REASON_CODES) {
      for (const language of ['en', 'es'] as const) {
        const sentence = reasonSentence(`${code} detail`, language);
        expect(sentence, `${code} ${language}`).not.toBe(`${code} detail`);
        expect(sentence).not.toMatch(/[{}]/);
        expect(reasonLabel(code, language)).not.toBe('');
      }
    }
  });

  it('cover every exit, refusal and hold that the protocol names', () => {
    const named = ['signal', 'stop_loss', 'take_profit', 'trailing', 'break_even', 'end', 'dust', 'cooldown', 'max_positions', 'balance'];
    const others = ['min_notional', 'regime', 'no_signal', 'no_crossing', 'warming_up', 'not_applicable', 'failed', 'refused'];
    const gate = ['position_open', 'no_position', 'exit_pending', 'no_price', 'late', 'market_ended', 'venue', 'contradictory'];
    const limits = ['limit_order', 'limit_total', 'limit_rate', 'price_band', 'daily_loss', 'drawdown', 'symbol_not_allowed'];
    const stops = ['reduce_only', 'kill_switch'];
    const orders = ['client', 'group', 'never_arrived'];
    expect(REASON_CODES).toEqual(expect.arrayContaining([...named, ...others, ...gate, ...limits, ...stops, ...orders]));
  });

  it('put the detail into the sentence, itself in words where it is known', () => {
    expect(reasonSentence('warming_up 120/200', 'en')).toBe('Warming up: 120/200 candles');
    expect(reasonSentence('refused max_positions', 'es')).toBe('Rechazada: Ya está abierto el máximo de posiciones');
    expect(reasonSentence('failed division by zero', 'en')).toBe('The strategy failed: division by zero');
    expect(reasonSentence('cooldown 120 s', 'en')).toBe('Still cooling down after the last trade (120 s)');
  });

  it('show what is not known as it came', () => {
    expect(reasonSentence('moon_phase waning', 'es')).toBe('moon_phase waning');
    expect(reasonSentence('constructor', 'en')).toBe('constructor');
    expect(reasonCode('warming_up 120/200')).toBe('warming_up');
  });
});
