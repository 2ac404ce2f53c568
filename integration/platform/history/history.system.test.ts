import { historyContract } from "@lineshaft/testkit";
import { openHistory } from "./index.ts";

historyContract("History on DuckDB", (dir, clock) => openHistory({ dir, clock, limits: { memoryMb: 64, threads: 1 } }));
