/** The theme's colours as the canvas needs them: resolved, not as custom properties. */
export interface Palette {
  surface: string;
  text: string;
  muted: string;
  grid: string;
  line: string;
  accent: string;
  up: string;
  down: string;
  upSoft: string;
  downSoft: string;
  /** For overlay lines, in order. */
  lines: readonly string[];
  font: string;
}

/** Reads the palette off an element, in the theme that holds for it. */
export function readPalette(host: HTMLElement): Palette {
  const probe = document.createElement('span');
  host.append(probe);
  const color = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    surface: color('surface'),
    text: color('text'),
    muted: color('muted'),
    grid: color('grid'),
    line: color('line-strong'),
    accent: color('accent'),
    up: color('up'),
    down: color('down'),
    upSoft: color('up-soft'),
    downSoft: color('down-soft'),
    lines: ['accent', 'amber', 'violet', 'teal', 'muted'].map(color),
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return palette;
}
