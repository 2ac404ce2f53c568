import type { PageContext } from "@lineshaft/ui/kit";
import { pathTo } from "./plant.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** The ISA-95 path of an equipment; each part leads to the page that shows it. The range goes with it. */
export function PathLinks({ id, plant, context }: { id: number; plant: Plant; context: PageContext }) {
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  const lines = new Set(plant.sites.flatMap(({ lines: all }) => all.map(({ equipment }) => equipment.id)));
  const pageOf = (item: { id: number; level: string }): string =>
    item.level === "workUnit" ? "machine" : lines.has(item.id) ? "line" : "oee";
  return (
    <nav className="path" aria-label="ISA-95">
      {pathTo(id, plant.equipment).map((item) => (
        <a
          key={item.id}
          aria-current={item.id === id ? "location" : undefined}
          {...context.link(pageOf(item), { id: item.id, ...range })}
        >
          {item.name}
        </a>
      ))}
    </nav>
  );
}

/** Every machine of the plant, line by line. */
export function MachineChoice({ id, plant, context, t }: { id: number; plant: Plant; context: PageContext; t: Say }) {
  return (
    <select
      className="input machine-choice"
      aria-label={t("machine.choose")}
      value={id}
      onChange={(event) =>
        context.go(context.page, { ...Object.fromEntries(context.query), id: event.target.value, tags: null })
      }
    >
      {plant.sites.flatMap((site) =>
        site.lines.map((line) => (
          <optgroup key={line.equipment.id} label={`${site.equipment.name} › ${line.equipment.name}`}>
            {line.machines.map((machine) => (
              <option key={machine.id} value={machine.id}>
                {machine.name}
              </option>
            ))}
          </optgroup>
        )),
      )}
    </select>
  );
}
