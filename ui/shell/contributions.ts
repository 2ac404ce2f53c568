/// <reference types="vite/client" />
import type { ConsolePage } from "../kit/index.ts";

/**
 * The pages that applications contribute. This is where the console is composed, and the bundler does it: nothing here imports an application, and without
 * applications/ the list is empty. Each index says what there is; the pages themselves are loaded when they are wanted.
 */
const found = import.meta.glob<{ pages: readonly ConsolePage[] }>("../../applications/*/console/index.ts", {
  eager: true,
});

export const contributed: readonly ConsolePage[] = Object.values(found)
  .flatMap(({ pages }) => pages)
  .sort((a, b) => a.rank - b.rank || a.path.localeCompare(b.path));

export const contributedPage = (path: string): ConsolePage | undefined =>
  contributed.find((page) => page.path === path);
