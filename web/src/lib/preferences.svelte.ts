import { formatsFor, type Formats } from './format';
import { en, type MessageKey } from './messages.en';
import { es } from './messages.es';

export type Language = 'en' | 'es';
export type Theme = 'system' | 'light' | 'dark';

const LANGUAGES: Record<Language, { locale: string; messages: Record<MessageKey, string> }> = {
  en: { locale: 'en-GB', messages: en },
  es: { locale: 'es-ES', messages: es },
};
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** What this browser was told to remember. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers a text for the next time. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** Theme and language: the system's until someone chooses, then remembered. */
class Preferences {
  #darkSystem = $state(false);
  theme = $state<Theme>('system');
  language = $state<Language>('en');
  readonly dark = $derived(this.theme === 'system' ? this.#darkSystem : this.theme === 'dark');
  readonly format: Formats = $derived(formatsFor(LANGUAGES[this.language].locale));
  readonly locale = $derived(LANGUAGES[this.language].locale);

  /** Reads what is remembered and follows the system's theme. */
  start(): void {
    const theme = remembered('vela.theme');
    if (theme === 'light' || theme === 'dark') this.theme = theme;
    const language = remembered('vela.language') ?? navigator.language.slice(0, 2);
    this.#speak(language === 'es' ? 'es' : 'en');
    const system = matchMedia('(prefers-color-scheme: dark)');
    this.#darkSystem = system.matches;
    system.addEventListener('change', (event) => (this.#darkSystem = event.matches));
  }

  nextTheme(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length] ?? 'system';
    remember('vela.theme', this.theme);
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }

  nextLanguage(): void {
    this.#speak(this.language === 'en' ? 'es' : 'en');
    remember('vela.language', this.language);
  }

  #speak(language: Language): void {
    this.language = language;
    document.documentElement.lang = language;
  }
}

export const preferences = new Preferences();

/** The text of a key in the chosen language, `{name}` filled in. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  const template = LANGUAGES[preferences.language].messages[key];
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The text of a key put together at run time, or the fallback where the server sent a word that the page does not know. */
export function word(key: string, fallback: string): string {
  return Object.hasOwn(en, key) ? t(key as MessageKey) : fallback;
}
