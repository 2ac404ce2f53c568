import type { ConsolePage } from "@lineshaft/ui/kit";
import { lazy } from "react";

/** The terminal takes the whole screen. */
export const pages: readonly ConsolePage[] = [
  {
    path: "terminal",
    icon: "screen",
    title: { en: "Terminal", de: "Terminal" },
    Body: lazy(() => import("./terminal.tsx")),
    frame: "bare",
    rank: 90,
    isFor: ({ role }) => role === "operator" || role === "engineer" || role === "admin",
  },
];
