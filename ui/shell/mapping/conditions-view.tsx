import {
  type Configuration,
  type Property,
  qualityOf,
  type RawTag,
  type StateMeaning,
  secondUs,
} from "@lineshaft/contract/api";
import { useEffect, useMemo, useState } from "react";
import { Button } from "../../kit/index.ts";
import { tagName, useDirectory } from "../directory.ts";
import { nowUs, watch } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { useMasterData } from "../master-data/store.ts";
import { allReasons } from "../materials/reasons.tsx";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { allowed } from "../session.ts";
import { useLive, useLoaded } from "../use.ts";
import { boundTo, namedBy, typesFor } from "./conditions.ts";
import { ConditionsEditor } from "./conditions-editor.tsx";
import { MeaningMark, type Reasons } from "./meaning-mark.tsx";
import { tableValue, valueInput } from "./values.ts";
import "./mapping.css";

const everyMs = 1_000;
/** What holds now is not told before it is known that nothing earlier comes. */
const lookBackUs = 60 * secondUs;

/** A state that conditions tell: what they say, what the tags that they name tell now, and what the machine's state is by that. */
export function ConditionsView(props: {
  configuration: Configuration;
  path: string;
  property: Property;
  properties: readonly Property[];
  /** It was changed, and is in force. */
  onChanged(): void;
}) {
  const { configuration, path, property, properties } = props;
  const { tags, equipment } = useDirectory("tags");
  const held = useMasterData("reason");
  const reasons = useMemo(() => new Map(allReasons(held.items).map((reason) => [reason.number, reason])), [held.items]);
  const [editing, setEditing] = useState(false);
  const all = useMemo(() => {
    const now = nowUs();
    return Object.keys(typesFor(property.name, properties)).map((name) => {
      const place = boundTo(configuration, path, name, now);
      const found = tags.find(
        ({ connection, address }) => connection === place?.connection && address === place.address,
      );
      return { name, tag: found ?? null };
    });
  }, [configuration, path, property, properties, tags]);
  const mentioned = new Set(namedBy(property, properties).map(({ name }) => name));
  const named = all.filter(({ name }) => mentioned.has(name));
  const isOpen = editing || property.conditions === undefined;
  const ids = (isOpen ? all : named).flatMap(({ tag }) => (tag === null ? [] : [tag.id])).join(" ");
  useEffect(() => (ids === "" ? undefined : watch(ids.split(" ").map(Number))), [ids]);
  const machine = equipment.find((one) => one.path === path)?.id ?? null;
  if (isOpen)
    return (
      <ConditionsEditor
        path={path}
        property={property}
        properties={properties}
        configuration={configuration}
        named={all}
        reasons={reasons}
        onClose={(done) => {
          setEditing(false);
          if (done || property.conditions === undefined) props.onChanged();
        }}
      />
    );
  return (
    <section className="mapping-preview" aria-label={t("conditions.of", { property: property.name })}>
      <div className="mapping-seen-head">
        <h3>{t("conditions.of", { property: property.name })}</h3>
        {allowed("configure") && (
          <Button icon="pencil" onClick={() => setEditing(true)}>
            {t("conditions.change")}
          </Button>
        )}
      </div>
      <p className="soft">{t("conditions.what")}</p>
      <table className="plain mapping-values">
        <caption className="unseen">{t("conditions.rows")}</caption>
        <tbody>
          {(property.conditions ?? []).map(({ when, ...meaning }) => (
            <tr key={when}>
              <td className="mono">{when}</td>
              <td>
                <MeaningMark verdict={meaning} reasons={reasons} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <table className="plain mapping-values mapping-live">
        <caption className="unseen">{t("conditions.values")}</caption>
        <tbody>
          {named.map(({ name, tag }) => (
            <tr key={name}>
              <th scope="row" className="mono">
                {name}
              </th>
              {tag === null ? (
                <td className="soft" colSpan={2}>
                  {t("conditions.unbound")}
                </td>
              ) : (
                <PresentValue tag={tag} />
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {machine !== null && <Outcome machine={machine} reasons={reasons} />}
    </section>
  );
}

function PresentValue({ tag }: { tag: RawTag }) {
  const last = useLive(tag.id);
  const value = last?.time == null || qualityOf(last.status) === "bad" ? null : tableValue(last.value);
  return (
    <>
      <td className="mono mapping-raw">{value === null ? "–" : valueInput(value)}</td>
      <td className="soft">
        {tagName(tag)} · {last?.time == null ? t("mapping.liveNone") : fmt.dateTime(last.time)}
        {last?.time != null && value === null && ` · ${t("mapping.badValue")}`}
      </td>
    </>
  );
}

/** By the server, which alone can ask conditions: the last state that is known of the machine. */
function Outcome({ machine, reasons }: { machine: number; reasons: Reasons }) {
  const read = async (signal: AbortSignal): Promise<{ meaning: StateMeaning; at: number } | null> => {
    const now = nowUs();
    const query = { from: now - lookBackUs, to: now };
    const { states, watermarkUs } = await call("machineFacts", { params: { id: machine }, query, signal });
    // Behind the watermark nothing is told yet.
    const known = states.time.findLastIndex((time) => watermarkUs !== null && time <= watermarkUs);
    if (known === -1 || watermarkUs === null) return null;
    const meaning: StateMeaning = {
      itemState: states.itemState[known] ?? "unknown",
      ...(states.operationMode[known] === null ? {} : { operationMode: states.operationMode[known] }),
      ...(states.cause[known] === 0 ? {} : { cause: states.cause[known] }),
    };
    return { meaning, at: watermarkUs };
  };
  const found = useLoaded(`outcome ${machine}`, read, everyMs);
  if (found.error !== null) return <ProblemView error={found.error} />;
  return (
    <p role="status" aria-label={t("conditions.outcome")}>
      {t("conditions.outcome")}{" "}
      {found.data === null ? (
        <span className="soft">{t("conditions.noOutcome")}</span>
      ) : (
        <>
          <MeaningMark verdict={found.data.meaning} reasons={reasons} />{" "}
          <span className="soft">{fmt.dateTime(found.data.at)}</span>
        </>
      )}
    </p>
  );
}
