import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import type { Rest } from "./rest.ts";

/** What Debian's Chromium needs under root in a container, and no talk of its own to the outside. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Whatever a page might ask for elsewhere fails at once instead of leaving the machine.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", args, timeout: 60_000 });

export interface TabOptions {
  url: string;
  /** Signs in without the form; absent: the tab is signed out. */
  secret?: string;
  theme?: "light" | "dark";
  width?: number;
  height?: number;
  locale?: "en-GB" | "de-DE";
  touch?: boolean;
}

/** A tab of the console that takes note of everything that should not happen. */
export class ConsoleTab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, refused and failed requests, requests to other hosts; empty when all is well. */
  readonly faults: string[] = [];
  readonly #url: string;
  #leaving = false;

  private constructor(page: Page, url: string) {
    this.page = page;
    this.context = page.context();
    this.#url = url;
    const own = new URL(url).host;
    page.on("pageerror", (error) => this.faults.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // That a request was refused is noted below, with its address.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        this.faults.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== own)
        this.faults.push(`foreign: ${request.url()}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== own) this.faults.push(`foreign: ${socket.url()}`);
    });
    page.on("requestfailed", (request) => {
      // A page that is left, or a view that is changed, gives up what it was still reading.
      if (!this.#leaving && request.failure()?.errorText !== "net::ERR_ABORTED")
        this.faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on("response", (response) => {
      // Signed out, the console asks who it is; a wrong secret is answered there too.
      const probe = response.status() === 401 && response.url().endsWith("/api/v1/session");
      if (response.status() >= 400 && !probe) this.faults.push(`${response.status()}: ${response.url()}`);
    });
  }

  static async open(browser: Browser, options: TabOptions): Promise<ConsoleTab> {
    const width = options.width ?? 1440;
    const context = await browser.newContext({
      viewport: { width, height: options.height ?? (width > 1000 ? 900 : 1112) },
      colorScheme: options.theme ?? "light",
      locale: options.locale ?? "en-GB",
      timezoneId: "Europe/Berlin",
      hasTouch: options.touch ?? false,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(15_000);
    if (options.secret !== undefined) {
      const answer = await context.request.post(`${options.url}/api/v1/session`, { data: { secret: options.secret } });
      if (!answer.ok()) throw new Error(`Not signed in: ${answer.status()} ${await answer.text()}`);
    }
    return new ConsoleTab(await context.newPage(), options.url);
  }

  /** Goes to a page by its address and waits until it shows something other than that it waits. */
  async goto(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
    await this.page.locator(".rail").waitFor();
    await this.page.waitForFunction(() => document.querySelector(".quiet-wait") === null);
  }

  get heading(): Locator {
    return this.page.locator(".topbar h1");
  }

  async close(): Promise<void> {
    this.#leaving = true;
    await this.context.close();
  }
}

/** Where a line of this colour runs on the trend chart: for each pixel column that holds it, its middle height. */
export function linePixels(page: Page, colour: string): Promise<{ x: number; y: number }[]> {
  return page.evaluate((name) => {
    const canvas = document.querySelector<HTMLCanvasElement>(".trend-chart canvas");
    const context = canvas?.getContext("2d");
    if (canvas == null || context == null) return [];
    const wanted = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16));
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const found: { x: number; y: number }[] = [];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      let count = 0;
      for (let y = 0; y < height; y++) {
        const at = (y * width + x) * 4;
        const off =
          Math.abs(data[at] - red) +
          Math.abs(data[at + 1] - green) +
          Math.abs(data[at + 2] - blue) +
          255 -
          data[at + 3];
        if (off > 60) continue;
        sum += y;
        count++;
      }
      if (count > 0) found.push({ x: x / devicePixelRatio, y: sum / count / devicePixelRatio });
    }
    return found;
  }, colour);
}

/** The id of a tag by its address; the demo plant needs a moment to bring its own. */
export async function tagNamed(rest: Rest, address: string): Promise<number> {
  const query = new URLSearchParams({ search: address, limit: "20" });
  for (const end = Date.now() + 60_000; ; ) {
    const { items } = await rest.get<{ items: { id: number; address: string }[] }>(`/api/v1/tags?${query}`);
    const found = items.find((tag) => tag.address === address);
    if (found !== undefined) return found.id;
    if (Date.now() > end) throw new Error(`There is no tag ${address}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
