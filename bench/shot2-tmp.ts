import { readFileSync } from "node:fs";
import { launchBrowser } from "../tests/support/browser.ts";
const info = JSON.parse(readFileSync("/tmp/ov/p24.log", "utf8").split("\n").find((l) => l.startsWith('{"url'))!);
const browser = await launchBrowser();
for (const [width, theme] of [[1440, "light"], [834, "dark"]] as const) {
  const context = await browser.newContext({ viewport: { width, height: width > 1000 ? 900 : 1112 }, colorScheme: theme, locale: "en-GB", timezoneId: "Europe/Berlin" });
  await context.request.post(`${info.url}/api/v1/session`, { data: { secret: info.key } });
  const page = await context.newPage();
  page.on("pageerror", (e) => console.log("error", e.message));
  await page.goto(`${info.url}/overview?state=fault,notExecuting`);
  await page.locator(".tile[data-state]").first().waitFor();
  await page.waitForTimeout(800);
  await page.screenshot({ path: `/tmp/ov/al-${width}.png` });
  const alarm = page.locator(".tile-alarms").first();
  if (await alarm.count()) { await alarm.click(); await page.waitForTimeout(300); await page.screenshot({ path: `/tmp/ov/al2-${width}.png` }); await page.keyboard.press("Escape"); }
  await page.getByRole("button", { name: /Change the OEE target/ }).click();
  await page.locator(".rail-fold").click();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `/tmp/ov/tg-${width}.png` });
  await context.close();
}
await browser.close();
