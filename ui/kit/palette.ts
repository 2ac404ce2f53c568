import { stateStyles } from "./states.ts";
import type { Palette } from "./trend-paint.ts";

/** How many series colours and shades of grey theme.css defines. */
export const seriesColours = 8;
const shadeCount = 5;

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    surface: read("--surface"),
    sunken: read("--sunken"),
    ink: read("--ink"),
    ink2: read("--ink-2"),
    ink3: read("--ink-3"),
    rule: read("--rule"),
    ruleStrong: read("--rule-strong"),
    alarm: read("--alarm"),
    accent: read("--accent"),
    series: Array.from({ length: seriesColours }, (_, i) => read(`--series-${i + 1}`)),
    states: Object.fromEntries(Object.values(stateStyles).map(({ colour }) => [colour, read(colour)])),
    shades: Array.from({ length: shadeCount }, (_, i) => read(`--shade-${i + 1}`)),
    font: `12px ${read("--font") || "system-ui, sans-serif"}`,
  };
}

/** Tells the colours now and whenever the theme changes. Returns how to stop that. */
export function observePalette(tell: (palette: Palette) => void): () => void {
  tell(readPalette());
  const observer = new MutationObserver(() => tell(readPalette()));
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}
