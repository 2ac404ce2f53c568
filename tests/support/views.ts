import { join } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";
import type { ConsoleTab } from "./browser.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where pictures of the console are kept for people to look at. */
export const pictures = process.env.LINESHAFT_SCREENSHOTS ?? join(root, "node_modules", ".cache", "screenshots");

type Rules = "all" | "contrast" | "structure" | "none";
/** A theme changes colours only, a tablet only the arrangement: nothing is checked twice, as axe takes its time. */
const rules: Record<string, Rules> = {
  "light 1440": "all",
  "dark 1440": "contrast",
  "light 834": "structure",
  "dark 834": "none",
};

/** Takes a view's pictures, light and dark. Returns what is inaccessible or cut off. */
export async function look({ page }: ConsoleTab, name: string, width: number): Promise<string[]> {
  const wrong: string[] = [];
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator(`html[data-theme="${theme}"]`).waitFor();
    await page.screenshot({ path: join(pictures, `${name}-${theme}-${width}.png`) });
    for (const fault of await barriers(page, rules[`${theme} ${width}`])) wrong.push(`${name}, ${theme}: ${fault}`);
  }
  for (const fault of await cutOff(page)) wrong.push(`${name}: ${fault}`);
  return wrong;
}

/** What axe calls serious or critical, with the places. */
async function barriers(page: Page, which: Rules): Promise<string[]> {
  if (which === "none") return [];
  // Without frames of other origins the simple way will do; the other opens a page for each look.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  if (which === "contrast") axe.withRules(["color-contrast"]);
  if (which === "structure") axe.disableRules(["color-contrast"]);
  const { violations } = await axe.analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

/** What sticks out of the window, and words in navigation, buttons and heads of tables that do not fit. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const whole = document.documentElement;
    if (whole.scrollWidth > whole.clientWidth) found.push(`the page is ${whole.scrollWidth} px wide`);
    for (const box of document.querySelectorAll<HTMLElement>(
      ".page-scroll, .table-frame, .grid-scroller, .tree, .rejected-items, .wizard-content, .connection",
    ))
      if (box.scrollWidth > box.clientWidth) found.push(`${box.className} is ${box.scrollWidth} px wide`);
    for (const word of document.querySelectorAll<HTMLElement>(
      ".rail-link span, .button, .segments button, h1, h2, .grid-head > div",
    ))
      if (
        word.offsetParent !== null &&
        word.scrollWidth > word.clientWidth + 1 &&
        getComputedStyle(word).display !== "inline"
      )
        found.push(`"${word.textContent}" needs ${word.scrollWidth} px of ${word.clientWidth}`);
    for (const link of document.querySelectorAll<HTMLElement>(".rail-link")) {
      const label = link.querySelector("span");
      if (label !== null && label.getBoundingClientRect().width > link.getBoundingClientRect().width - 2)
        found.push(`"${label.textContent}" fills its place`);
    }
    return found;
  });
}
