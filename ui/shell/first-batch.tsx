import { useEffect, useRef, useState } from "react";
import { Button, CopyBlock, EmptyState } from "../kit/index.ts";
import { reloadDirectory } from "./directory.ts";
import { t } from "./i18n.ts";
import { call } from "./platform.ts";
import { copyLabels } from "./problem.tsx";
import { link } from "./router.ts";
import { allowed } from "./session.ts";
import { fault } from "./toasts.tsx";

/** An empty platform teaches its first step: the command that sends one point, ready to paste. */
export function FirstBatch({ orMachine = false }: { orMachine?: boolean }) {
  const [secret, setSecret] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const reloading = useRef(0);
  useEffect(() => {
    reloading.current = window.setInterval(() => void reloadDirectory(), 2_000);
    return () => clearInterval(reloading.current);
  }, []);
  const command = [
    `curl -X POST ${location.origin}/api/v1/ingest/machine-1 \\`,
    `  -H "Authorization: Bearer ${secret ?? t("first.keyHere")}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '{"points":[{"tag":"temperature","value":21.5}]}'`,
  ].join("\n");
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await call("createKey", { body: { name: "machine-1", role: "source" } });
      setSecret(made.secret);
    } catch (error) {
      fault(error, t("keys.createFailed"));
    }
    setBusy(false);
  };
  return (
    <EmptyState title={t("first.title")}>
      <p>{t("first.what")}</p>
      {orMachine && allowed("configure") && (
        <a className="button" {...link("connections", { add: "kind" })}>
          {t("first.orMachine")}
        </a>
      )}
      <ol className="steps">
        <li>
          <p>{t("first.key")}</p>
          {allowed("administer") ? (
            <Button kind="main" disabled={busy || secret !== null} onClick={() => void make()}>
              {secret === null ? t("first.makeKey") : t("first.keyMade")}
            </Button>
          ) : (
            <p className="soft">{t("first.askKey")}</p>
          )}
        </li>
        <li>
          <p>{t("first.send")}</p>
          <CopyBlock text={command} labels={copyLabels()} label={t("first.send")} narrow />
        </li>
        <li>
          <p>{t("first.see")}</p>
        </li>
      </ol>
    </EmptyState>
  );
}
