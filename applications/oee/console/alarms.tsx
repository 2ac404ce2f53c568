import type { EquipmentNow } from "@lineshaft/contract/api";
import { Dialog, Icon, type PageContext, useSecond } from "@lineshaft/ui/kit";
import { useState } from "react";
import type { NowView } from "./now-feed.ts";
import { serverNowUs } from "./now-feed.ts";
import type { Say } from "./texts.ts";

type Alarm = EquipmentNow["alarms"]["worst"][number];

/** From this severity on an alarm asks for somebody at once (OPC UA: 1 least, 1000 most). */
const urgent = 700;

/** What people read of an alarm: its text in their language, else in another, else its code. */
export function alarmText(
  { text, property, code }: Pick<Alarm, "text" | "property" | "code">,
  locale: "de" | "en",
): string {
  return text?.[locale] ?? text?.en ?? text?.de ?? `${property} ${code}`;
}

/** Active alarms of a machine below its tile: how many, and the most severe; pressed, all of them. */
export function TileAlarms(props: {
  name: string;
  alarms: EquipmentNow["alarms"];
  now: NowView;
  context: PageContext;
  t: Say;
}) {
  const { name, alarms, now, context, t } = props;
  const [isOpen, setOpen] = useState(false);
  const [worst] = alarms.worst;
  if (worst === undefined) return null;
  const text = alarmText(worst, context.locale);
  return (
    <>
      <button
        type="button"
        className="tile-alarms"
        data-urgent={worst.severity >= urgent}
        title={text}
        onClick={() => setOpen(true)}
      >
        <Icon name="alarm" size={16} />
        <b>{context.format.integer(alarms.active)}</b>
        <span>{text}</span>
      </button>
      {isOpen && (
        <Dialog title={t("alarms.title", { name })} closeLabel={t("alarms.close")} onClose={() => setOpen(false)} wide>
          <AlarmTable alarms={alarms} now={now} context={context} t={t} />
        </Dialog>
      )}
    </>
  );
}

function AlarmTable({
  alarms,
  now,
  context,
  t,
}: {
  alarms: EquipmentNow["alarms"];
  now: NowView;
  context: PageContext;
  t: Say;
}) {
  useSecond();
  const { format, locale } = context;
  const nowUs = serverNowUs(now, performance.now());
  return (
    <>
      <table className="plain">
        <thead>
          <tr>
            <th className="right">{t("alarms.severity")}</th>
            <th>{t("alarms.text")}</th>
            <th>{t("alarms.code")}</th>
            <th>{t("alarms.since")}</th>
            <th className="right">{t("alarms.lasts")}</th>
          </tr>
        </thead>
        <tbody>
          {alarms.worst.map((alarm) => (
            <tr key={alarm.tagId} className={alarm.severity >= urgent ? "alarm-urgent" : ""}>
              <td className="right">{format.integer(alarm.severity)}</td>
              <th scope="row">{alarmText(alarm, locale)}</th>
              <td>{alarm.code}</td>
              <td>{format.dateTime(alarm.sinceUs)}</td>
              <td className="right">{format.duration(Math.max(1e6, nowUs - alarm.sinceUs))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {alarms.active > alarms.worst.length && (
        <p className="oee-hint">{t("alarms.more", { n: alarms.active - alarms.worst.length })}</p>
      )}
    </>
  );
}
