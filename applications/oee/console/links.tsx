import type { PageContext } from "@lineshaft/ui/kit";
import { pathTo } from "./plant.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** The ISA-95 path of an equipment; each part leads to the page that shows it, or stays on this one. The range goes with it. */
export function PathLinks(props: { id: number; plant: Plant; context: PageContext; stay?: boolean }) {
  const { id, plant, context, stay = false } = props;
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  const lines = new Set(plant.sites.flatMap(({ lines: all }) => all.map(({ equipment }) => equipment.id)));
  const pageOf = (item: { id: number; level: string }): string => {
    if (stay) return context.page;
    if (item.level === "workUnit") return "machine";
    return lines.has(item.id) ? "line" : "oee";
  };
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

/** Sites, lines and machines: whatever numbers are made of. */
export function PlaceChoice(props: { id: number; plant: Plant; context: PageContext; t: Say; only?: "lines" }) {
  const { id, plant, context, t, only } = props;
  return (
    <select
      className="input machine-choice"
      aria-label={t(only === "lines" ? "line.choose" : "oee.choose")}
      value={id}
      onChange={(event) => context.go(context.page, { ...Object.fromEntries(context.query), id: event.target.value })}
    >
      {plant.sites.map((site) => (
        <optgroup key={site.equipment.id} label={site.equipment.name}>
          {only !== "lines" && <option value={site.equipment.id}>{site.equipment.name}</option>}
          {site.lines.flatMap((line) => [
            <option key={line.equipment.id} value={line.equipment.id}>
              {line.equipment.name}
            </option>,
            ...(only === "lines"
              ? []
              : line.machines.map((machine) => (
                  <option key={machine.id} value={machine.id}>
                    {line.equipment.name} › {machine.name}
                  </option>
                ))),
          ])}
        </optgroup>
      ))}
    </select>
  );
}
