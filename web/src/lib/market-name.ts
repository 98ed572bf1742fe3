import { t } from './preferences.svelte';

/** The market as the page names it; the name of a file or an exchange stays as it came. */
export function marketName(market: string): string {
  const synthetic = /^synthetic(?: market)?(?:, seed (\d+))?$/.exec(market);
  if (!synthetic) return market;
  return synthetic[1] === undefined ? t('market.synthetic') : t('market.seeded', { seed: synthetic[1] });
}
