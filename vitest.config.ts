import { defineConfig } from "vitest/config";

const long = process.env.LINESHAFT_LONG === "1";

/**
 * Fast tests lie beside what they test and are part of `npm run check`; tests of the whole system are in tests/, those of one part with real processes
 * or peers beside it as *.system.test.ts, and both run by `npm test`. What takes
 * longer than anybody waits is called *.long.test.ts, or asks for LINESHAFT_LONG, and runs by `npm run test:long`.
 */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: "100%",
    include: ["**/*.test.ts", "**/*.test.tsx"],
    exclude: ["**/node_modules/**", "**/dist/**", ...(long ? [] : ["**/*.long.test.ts"])],
    testTimeout: long ? 6 * 3_600_000 : 30_000,
    hookTimeout: 60_000,
  },
});
