import type { ConsolePage } from "@lineshaft/ui/kit";
import { lazy } from "react";

/** The pages about production and OEE. Each is loaded when it is wanted. */
export const pages: readonly ConsolePage[] = [
  {
    path: "machine",
    icon: "machine",
    title: { en: "Machine", de: "Maschine" },
    Body: lazy(() => import("./machine.tsx")),
    frame: "console",
    rank: -30,
    shortcut: "m",
  },
];
