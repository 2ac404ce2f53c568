import type { Equipment, Micros } from "@lineshaft/contract/api";
import { useMemo } from "react";
import { useDirectory } from "../directory.ts";
import { fromLocalTime, toLocalTime } from "../equipment/local-time.ts";

/** What orders run on: work units, or whatever stands lowest where there are none. */
export function useWorkUnits(): Equipment[] {
  const { equipment } = useDirectory();
  return useMemo(() => {
    const units = equipment.filter(({ level }) => level === "workUnit");
    return units.length > 0 ? units : equipment.filter(({ path }) => path !== "");
  }, [equipment]);
}

/** For the browser's field of a local date and time, which knows no smaller part than a second. */
export const localOfMicros = (at: Micros | null): string =>
  at === null ? "" : toLocalTime(new Date(at / 1000).toISOString());

/** null: nothing was entered. */
export function microsOf(local: string): Micros | null {
  const text = fromLocalTime(local);
  return text === undefined ? null : new Date(text).getTime() * 1000;
}

/** A field's time, or the one it was made from where nobody touched it: that may be finer. */
export const keptMicros = (local: string, from: Micros | null): Micros | null =>
  from !== null && local === localOfMicros(from) ? from : microsOf(local);

export function EquipmentOptions({ items }: { items: readonly Equipment[] }) {
  return items.map((one) => (
    <option key={one.id} value={one.id}>
      {one.path === "" ? one.name : one.path}
    </option>
  ));
}
