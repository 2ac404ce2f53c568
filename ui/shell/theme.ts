export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const stored = "lineshaft.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let theme: Theme = "system";

function apply(): void {
  const shown = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  document.documentElement.dataset.theme = shown;
}

export function startTheme(): void {
  try {
    theme = themes.find((name) => name === localStorage.getItem(stored)) ?? "system";
  } catch {
    // A browser that keeps nothing follows the system.
  }
  dark.addEventListener("change", apply);
  apply();
}

export const getTheme = (): Theme => theme;
export function setTheme(next: Theme): void {
  theme = next;
  try {
    localStorage.setItem(stored, next);
  } catch {
    // Holds for this visit only.
  }
  apply();
  for (const listener of listeners) listener();
}
export function observeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
