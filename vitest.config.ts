import { defineConfig } from "vitest/config";

/** Fast tests lie beside what they test; whole-system tests are in tests/ and run by `npm test` only. */
export default defineConfig({
  test: {
    pool: "forks",
    include: ["**/*.test.ts", "**/*.test.tsx"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
