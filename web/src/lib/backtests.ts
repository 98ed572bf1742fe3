import { shortName, type Job, type JobSummary, type Parameter, type ProtocolError, type Series, type Strategies } from './protocol';

/** What the form holds: all of it text, as typed. */
export interface Form {
  strategy: string;
  parameters: Record<string, string>;
  symbols: string[];
  timeframe: string;
  from: string;
  to: string;
  rules: Record<string, string>;
}

/** The trading rules that the form shows, under their settings' names, and where the session's settings tell them. */
export const RULES = {
  capital: 'capital',
  stake: 'stake',
  fee: 'fee',
  slippage: 'slippage',
  stop_loss: 'stop_loss_pct',
  take_profit: 'take_profit_pct',
} as const;
export type Rule = keyof typeof RULES;

/** An answer that is no good, in the server's words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: ProtocolError,
  ) {
    super(body.error);
  }
}

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(new URL(`api/v1/${path}`, document.baseURI), { cache: 'no-store', ...options });
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => null)) as ProtocolError | null;
  throw new Refusal(response.status, body ?? { error: `HTTP ${response.status}`, accepted: '' });
}

export const strategies = (): Promise<Strategies> => ask('strategies');
export const storedSeries = (): Promise<Series[]> => ask('series');
export const cancel = (id: string): Promise<Job> => ask(`backtests/${encodeURIComponent(id)}`, { method: 'DELETE' });
export const start = (form: Form): Promise<Job> =>
  ask('backtests', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body(form)) });

export function reportAddress(job: Job): string {
  return new URL(`api/v1/backtests/${encodeURIComponent(job.id)}/report`, document.baseURI).href;
}

/** What is sent: fields that were left empty are left out, and come from the settings. */
export function body(form: Form): object {
  const filled = (values: Record<string, string>) => Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''));
  const { timeframe, from, to } = form;
  return {
    strategy: form.strategy,
    parameters: filled(form.parameters),
    symbols: form.symbols,
    rules: filled(form.rules),
    ...filled({ timeframe, from, to }),
  };
}

export function defaults(parameters: Record<string, Parameter>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { default: value }]) => [name, String(value)]));
}

/** Whether only whole numbers make sense: then its default is one, and so are both ends of its range. */
export function isWhole({ default: value, low, high }: Parameter): boolean {
  return [value, low, high].every(Number.isInteger);
}

/** The stored timeframes, the shortest first. */
export function timeframes(series: readonly Series[]): string[] {
  const minutes = (name: string) => parseInt(name, 10) * ({ m: 1, h: 60, d: 1440 }[name.slice(-1)] ?? 1);
  return [...new Set(series.map((one) => one.timeframe))].sort((a, b) => minutes(a) - minutes(b));
}

/** The symbols stored in a timeframe, and the time that their candles cover together, ms UTC. */
export function stored(series: readonly Series[], timeframe: string): { symbols: string[]; first: number; last: number } {
  const fitting = series.filter((one) => one.timeframe === timeframe);
  return {
    symbols: [...new Set(fitting.map((one) => shortName(one.symbol)))],
    first: Math.min(...fitting.map((one) => one.first)),
    last: Math.max(...fitting.map((one) => one.last)),
  };
}

/** A figure of a summary that is a number; null where it is undefined or absent. */
export function figure(summary: JobSummary, name: string): number | null {
  const value = summary[name];
  return typeof value === 'number' ? value : null;
}

/** The list with a job put in its place, or at the head if it is new. */
export function upsert(jobs: readonly Job[], job: Job): readonly Job[] {
  const at = jobs.findIndex((one) => one.id === job.id);
  return at < 0 ? [job, ...jobs] : jobs.with(at, job);
}
