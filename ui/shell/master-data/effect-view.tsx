import { getDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { useNow } from "../use.ts";
import { pastOf, type Touched } from "./effect.ts";

const shownMax = 12;

export const equipmentName = (id: number): string => {
  const item = getDirectory().equipmentById.get(id);
  return item === undefined ? `#${id}` : item.path === "" ? item.name : item.name;
};
export const equipmentPath = (id: number): string => {
  const item = getDirectory().equipmentById.get(id);
  return item === undefined ? `#${id}` : item.path || item.name;
};

/** Which machines and ranges a change touches, before it is saved. */
export function EffectView({ touched }: { touched: readonly Touched[] }) {
  const now = useNow();
  const machines = new Set(touched.map(({ equipmentId }) => equipmentId)).size;
  const past = pastOf(touched, now);
  // What holds since ever reaches back to whatever was recorded first.
  const ever = touched.some(({ fromUs }) => fromUs <= 0);
  return (
    <section className="effect" aria-label={t("effect.title")} aria-live="polite">
      <h3>{t("effect.title")}</h3>
      {touched.length === 0 ? (
        <p className="soft">{t("effect.none")}</p>
      ) : (
        <>
          <p className={past > 0 ? "effect-past" : "soft"}>
            {ever
              ? t("effect.ever", { n: machines })
              : past > 0
                ? t("effect.past", { n: machines, time: fmt.duration(past) })
                : t("effect.future", { n: machines })}
          </p>
          <ul>
            {touched.slice(0, shownMax).map(({ equipmentId, fromUs, toUs }) => (
              <li key={`${equipmentId} ${fromUs}`}>
                <span title={equipmentPath(equipmentId)}>{equipmentName(equipmentId)}</span>
                <span className="soft nowrap">{rangeText(fromUs, toUs)}</span>
              </li>
            ))}
            {touched.length > shownMax && (
              <li className="soft">{t("effect.more", { n: touched.length - shownMax })}</li>
            )}
          </ul>
        </>
      )}
    </section>
  );
}

/** 26 Nov 06:00 – 14:00 */
export function rangeText(fromUs: number, toUs: number | null): string {
  if (fromUs <= 0) return toUs === null ? t("item.always") : t("item.until", { time: fmt.dateTime(toUs) });
  const from = `${fmt.part(fromUs, "day")} ${fmt.part(fromUs, "min")}`;
  if (toUs === null) return t("range.open", { from });
  const sameDay = fmt.part(fromUs, "day") === fmt.part(toUs, "day");
  return `${from} – ${sameDay ? "" : `${fmt.part(toUs, "day")} `}${fmt.part(toUs, "min")}`;
}
