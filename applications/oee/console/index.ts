import type { ConsolePage } from "@lineshaft/ui/kit";
import { lazy } from "react";

/** The pages about production and OEE. Each is loaded when it is wanted. */
export const pages: readonly ConsolePage[] = [
  {
    path: "overview",
    icon: "overview",
    title: { en: "Overview", de: "Übersicht" },
    Body: lazy(() => import("./overview.tsx")),
    frame: "console",
    rank: -50,
    isStart: true,
    shortcut: "h",
  },
  {
    path: "line",
    icon: "line",
    title: { en: "Line", de: "Linie" },
    Body: lazy(() => import("./line.tsx")),
    frame: "console",
    rank: -40,
    shortcut: "l",
  },
  {
    path: "oee",
    icon: "oee",
    title: { en: "OEE", de: "OEE" },
    Body: lazy(() => import("./oee.tsx")),
    frame: "console",
    rank: -20,
    shortcut: "k",
  },
  {
    path: "machine",
    icon: "machine",
    title: { en: "Machine", de: "Maschine" },
    Body: lazy(() => import("./machine.tsx")),
    frame: "console",
    rank: -30,
    shortcut: "m",
  },
  {
    path: "shift-report",
    icon: "report",
    title: { en: "Report", de: "Bericht" },
    Body: lazy(() => import("./report.tsx")),
    frame: "console",
    rank: -15,
    shortcut: "b",
  },
  {
    path: "andon",
    icon: "screen",
    title: { en: "Andon", de: "Andon" },
    Body: lazy(() => import("./andon.tsx")),
    frame: "bare",
    rank: 50,
    shortcut: "a",
  },
];
