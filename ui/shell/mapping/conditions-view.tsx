import {
  type Configuration,
  type Property,
  qualityOf,
  type RawTag,
  type StateMeaning,
  secondUs,
} from "@lineshaft/contract/api";
import { useEffect, useMemo } from "react";
import { tagName, useDirectory } from "../directory.ts";
import { nowUs, watch } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { useMasterData } from "../master-data/store.ts";
import { allReasons } from "../materials/reasons.tsx";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { useLive, useLoaded } from "../use.ts";
import { boundTo, namedBy } from "./conditions.ts";
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
}) {
  const { configuration, path, property, properties } = props;
  const { tags, equipment } = useDirectory("tags");
  const held = useMasterData("reason");
  const reasons = useMemo(() => new Map(allReasons(held.items).map((reason) => [reason.number, reason])), [held.items]);
  const named = useMemo(() => {
    const now = nowUs();
    return namedBy(property, properties).map((one) => {
      const place = boundTo(configuration, path, one.name, now);
      const found = tags.find(
        ({ connection, address }) => connection === place?.connection && address === place.address,
      );
      return { name: one.name, tag: found ?? null };
    });
  }, [configuration, path, property, properties, tags]);
  const ids = named.flatMap(({ tag }) => (tag === null ? [] : [tag.id])).join(" ");
  useEffect(() => (ids === "" ? undefined : watch(ids.split(" ").map(Number))), [ids]);
  const machine = equipment.find((one) => one.path === path)?.id ?? null;
  return (
    <section className="mapping-preview" aria-label={t("conditions.of", { property: property.name })}>
      <h3>{t("conditions.of", { property: property.name })}</h3>
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
