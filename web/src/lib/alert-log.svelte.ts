import { remember, remembered } from './preferences.svelte';
import type { Alert } from './protocol';

const KEPT = 50;
const DISMISSED = 'vela.dismissed';

/** What tells one alert from another. */
export function alertKey({ time, level, text }: Alert): string {
  return `${time} ${level} ${text.replace(/\s+/g, ' ')}`;
}

/** The newest alerts, newest first. Critical ones are urgent until somebody dismisses them, also after a reload. */
export class AlertLog {
  all = $state.raw<readonly Alert[]>([]);
  #dismissed = $state.raw<readonly string[]>(remembered(DISMISSED)?.split('\n') ?? []);
  readonly urgent = $derived(this.all.filter((alert) => alert.level === 'critical' && !this.#dismissed.includes(alertKey(alert))));

  load(alerts: readonly Alert[]): void {
    this.all = alerts;
  }

  add(alert: Alert): void {
    this.all = [alert, ...this.all].slice(0, KEPT);
  }

  dismiss(alert: Alert): void {
    this.#dismissed = [alertKey(alert), ...this.#dismissed].slice(0, KEPT);
    remember(DISMISSED, this.#dismissed.join('\n'));
  }
}
