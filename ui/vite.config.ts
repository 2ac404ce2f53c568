import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** For `vite build` and, with a running server, `vite` (LINESHAFT_URL says where it listens). */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "dist",
    target: "es2022",
    // The server's content security policy allows files only: nothing is put inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: process.env.LINESHAFT_URL ?? "http://127.0.0.1:4840", ws: true } } },
});
