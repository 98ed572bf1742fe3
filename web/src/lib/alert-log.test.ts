import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AlertLog } from './alert-log.svelte';

const critical = { time: 1, level: 'critical', text: 'brain failed\nand restarts' };
const warning = { time: 2, level: 'warning', text: 'slow' };

describe('AlertLog', () => {
  beforeEach(() => {
    const storage = new Map<string, string>();
    vi.stubGlobal('localStorage', { getItem: (key: string) => storage.get(key) ?? null, setItem: storage.set.bind(storage) });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('holds the newest fifty, newest first', () => {
    const log = new AlertLog();
    for (let i = 0; i < 60; i += 1) log.add({ ...warning, time: i });
    expect(log.all).toHaveLength(50);
    expect(log.all[0]?.time).toBe(59);
  });

  it('takes only critical ones as urgent', () => {
    const log = new AlertLog();
    log.load([warning, critical]);
    expect(log.urgent).toEqual([critical]);
  });

  it('forgets a dismissed one for good, and that one only', () => {
    const log = new AlertLog();
    const other = { ...critical, time: 3 };
    log.load([other, critical]);
    log.dismiss(critical);
    expect(log.urgent).toEqual([other]);
    const reloaded = new AlertLog();
    reloaded.load([other, critical]);
    expect(reloaded.urgent).toEqual([other]);
    expect(reloaded.all).toEqual([other, critical]);
  });
});
