import type { Equipment } from "@lineshaft/contract/api";
import { useMemo } from "react";
import { useDirectory } from "../directory.ts";
import type { Places } from "./kinds.ts";

/** The equipment that a kind can stand at; where a plant has no such level, all that is below the enterprise. */
export function usePlaces(places: Places): readonly Equipment[] {
  const { equipment } = useDirectory();
  return useMemo(() => {
    if (places === "all") return equipment;
    const wanted = equipment.filter(({ level }) => level === (places === "workUnits" ? "workUnit" : "workCenter"));
    return wanted.length > 0 ? wanted : equipment.filter(({ path }) => path !== "");
  }, [equipment, places]);
}

const isBelow = (path: string, above: string): boolean =>
  above === "" || path === above || path.startsWith(`${above}/`);

/** The machines at an equipment and below it. */
export function machinesBelow(equipment: readonly Equipment[], id: number): number[] {
  const above = equipment.find((one) => one.id === id)?.path;
  if (above === undefined) return [];
  return equipment.filter(({ level, path }) => level === "workUnit" && isBelow(path, above)).map((one) => one.id);
}
