import type { Plan, PlanItem } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button } from "../../kit/index.ts";
import { type PlainKey, t } from "../i18n.ts";
import { type Difference, differences } from "./editing.ts";

const actions = ["create", "change", "rename", "remove"] as const;
type Entity = PlanItem["entity"];
/** In the order in which they matter to whoever reads a plan: what goes comes first. */
const reading = ["remove", "rename", "change", "create"] as const;
const itemsAtFirst = 40;

export const changesOf = (plan: Plan): number => actions.reduce((sum, action) => sum + plan.counts[action], 0);

/** What an action on this kind of thing means for what runs and what is recorded. */
function consequence(action: PlanItem["action"], entity: Entity): PlainKey | null {
  const known: Partial<Record<`${PlanItem["action"]}.${Entity}`, PlainKey>> = {
    "create.connection": "plan.effect.create.connection",
    "change.connection": "plan.effect.change.connection",
    "remove.connection": "plan.effect.remove.connection",
    "remove.tag": "plan.effect.remove.tag",
    "change.tag": "plan.effect.change.tag",
    "remove.equipment": "plan.effect.remove.equipment",
    "rename.equipment": "plan.effect.rename.equipment",
    "change.equipment": "plan.effect.change.equipment",
    "remove.model": "plan.effect.remove.model",
    "create.binding": "plan.effect.create.binding",
    "change.binding": "plan.effect.change.binding",
    "remove.binding": "plan.effect.remove.binding",
  };
  return known[`${action}.${entity}`] ?? null;
}

/** What applying would do: in plain words how far it reaches, then each thing with its old and new values. */
export function PlanView({ plan }: { plan: Plan }) {
  const [all, setAll] = useState(false);
  const total = changesOf(plan);
  if (total === 0) return <p className="plan-nothing">{t("plan.nothing")}</p>;
  const items = [...plan.items].sort((a, b) => reading.indexOf(a.action) - reading.indexOf(b.action));
  const shown = all ? items : items.slice(0, itemsAtFirst);
  return (
    <div className="plan">
      <ul className="plan-radius">
        {radius(items).map(({ action, entity, count }) => {
          const effect = consequence(action, entity);
          return (
            <li key={`${action} ${entity}`} className={`plan-${action}`}>
              <PlanMark action={action} />
              <span>
                <strong>
                  {t(`plan.${action}`)} {t(`plan.of.${entity}`, { n: count })}
                </strong>
                {effect !== null && <span className="soft"> {t(effect)}</span>}
              </span>
            </li>
          );
        })}
        {total > plan.items.length && <li className="soft">{t("plan.andMore", { n: total - plan.items.length })}</li>}
      </ul>
      {/* biome-ignore lint/a11y/useSemanticElements: a region of a table, no fieldset */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too */}
      <div className="plan-items" role="group" aria-label={t("plan.items")} tabIndex={0}>
        <table className="plain">
          <caption className="unseen">{t("plan.items")}</caption>
          <tbody>
            {shown.map((item) => (
              <Item key={`${item.action} ${item.entity} ${item.name}`} item={item} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < items.length && (
        <Button kind="quiet" onClick={() => setAll(true)}>
          {t("plan.showAll", { n: items.length })}
        </Button>
      )}
    </div>
  );
}

function radius(items: readonly PlanItem[]): { action: PlanItem["action"]; entity: Entity; count: number }[] {
  const groups = new Map<string, { action: PlanItem["action"]; entity: Entity; count: number }>();
  for (const { action, entity } of items) {
    const key = `${action} ${entity}`;
    const group = groups.get(key) ?? { action, entity, count: 0 };
    group.count++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The action by shape as well as by colour. */
export function PlanMark({ action }: { action: PlanItem["action"] }) {
  const sign = { create: "+", change: "~", rename: "→", remove: "−" }[action];
  return (
    <span className={`plan-mark plan-mark-${action}`} title={t(`plan.${action}`)} aria-hidden="true">
      {sign}
    </span>
  );
}

function Item({ item }: { item: PlanItem }) {
  const parts =
    item.action === "create" || item.action === "remove"
      ? []
      : item.changes.flatMap(({ field, from, to }) => differences(from, to, field));
  return (
    <tr className={`plan-item plan-${item.action}`}>
      <td className="nowrap">
        <PlanMark action={item.action} /> <span className="unseen">{t(`plan.${item.action}`)}</span>
        <span className="soft">{t(`plan.one.${item.entity}`)}</span>
      </td>
      <th scope="row">{item.name}</th>
      <td className="plan-fields">
        {parts.length > 0 ? (
          <dl>
            {parts.map((part) => (
              <Field key={part.path} part={part} />
            ))}
          </dl>
        ) : (
          item.action === "create" && <Made changes={item.changes} />
        )}
      </td>
    </tr>
  );
}

const shownText = (value: unknown): string =>
  value === null || value === undefined
    ? t("plan.none")
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

function Field({ part }: { part: Difference }) {
  return (
    <div>
      <dt>{part.path}</dt>
      <dd>
        <del>{shownText(part.from)}</del> <span aria-hidden="true">→</span> <ins>{shownText(part.to)}</ins>
      </dd>
    </div>
  );
}

/** A list of named things, e.g. a model's properties, by their names; anything else as it is. */
function listText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return shownText(value);
  const names = value.map((one) =>
    typeof one === "object" && one !== null && "name" in one ? String(one.name) : null,
  );
  return names.includes(null) ? shownText(value) : names.join(", ");
}

/** What a new thing is given, on one line. */
function Made({ changes }: { changes: PlanItem["changes"] }) {
  const fields = changes.filter(
    ({ field, to }) => to !== null && !["name", "path", "address", "version"].includes(field),
  );
  if (fields.length === 0) return null;
  const flat = fields.flatMap(({ field, to }) => differences(null, to, field));
  return (
    <span className="soft clip">
      {flat
        .flatMap(({ path, to }) =>
          typeof to === "object" && to !== null && !Array.isArray(to) ? differences({}, to, path) : [{ path, to }],
        )
        .map(({ path, to }) => `${path}: ${listText(to)}`)
        .join(" · ")}
    </span>
  );
}
