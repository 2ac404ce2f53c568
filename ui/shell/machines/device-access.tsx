import type { SystemStatus } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, CopyBlock } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { call } from "../platform.ts";
import { copyLabels, ProblemView } from "../problem.tsx";
import { allowed } from "../session.ts";
import { fault } from "../toasts.tsx";
import { useLoaded } from "../use.ts";

interface Key {
  id: string;
  secret: string;
}

const addressOf = ({ port, tls }: NonNullable<SystemStatus["mqtt"]>): string =>
  `${tls ? "mqtts" : "mqtt"}://${location.hostname}:${port}`;

/** What is entered at a device so that it reaches the embedded broker. */
export function DeviceAccess({ name, scope }: { name: string; scope: string }) {
  const system = useLoaded("system", (signal) => call("getSystem", { signal }));
  const [key, setKey] = useState<Key | null>(null);
  const [busy, setBusy] = useState(false);
  if (system.error !== null) return <ProblemView error={system.error} />;
  if (system.data === null) return <p className="quiet-wait">{t("wait.system")}</p>;
  const { mqtt } = system.data;
  if (mqtt === null) return <p className="follow-note warn">{t("device.off")}</p>;
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await call("createKey", { body: { name, role: "source", scopes: [scope] } });
      setKey({ id: made.key.id, secret: made.secret });
    } catch (error) {
      fault(error, t("keys.createFailed"));
    }
    setBusy(false);
  };
  return (
    <section className="device-access" aria-label={t("device.title")}>
      <h3>{t("device.title")}</h3>
      <p className="soft">{t("device.what")}</p>
      <CopyBlock
        text={[
          `${t("device.address")}: ${addressOf(mqtt)}`,
          ...(key === null ? [] : [`${t("device.user")}: ${key.id}`, `${t("device.password")}: ${key.secret}`]),
        ].join("\n")}
        labels={copyLabels()}
        label={t("device.title")}
      />
      {key !== null ? (
        <p className="soft">{t("keys.onceOnly")}</p>
      ) : allowed("administer") ? (
        <Button disabled={busy} onClick={() => void make()}>
          {t("device.make")}
        </Button>
      ) : (
        <p className="soft">{t("first.askKey")}</p>
      )}
    </section>
  );
}
