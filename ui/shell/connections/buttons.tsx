import type { Connection } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button } from "../../kit/index.ts";
import { ChangeDialog } from "../configuration/change-dialog.tsx";
import { withoutConnection } from "../configuration/editing.ts";
import { readConfiguration } from "../configuration/service.ts";
import { reloadDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { changeDraft, draftOf } from "../machines/draft.ts";
import { call } from "../platform.ts";
import { go, link } from "../router.ts";
import { allowed } from "../session.ts";
import { fault, note } from "../toasts.tsx";

/** What can be done with a connection. */
export function ConnectionButtons({ connection, open }: { connection: Connection; open?: boolean }) {
  const [removing, setRemoving] = useState(false);
  const [busy, setBusy] = useState(false);
  const { name, health } = connection;
  const configure = allowed("configure");
  const restart = async (): Promise<void> => {
    setBusy(true);
    try {
      await call("restartConnection", { params: { connection: name } });
      note(t("connection.restarted", { name }));
      await reloadDirectory();
    } catch (error) {
      fault(error, t("connection.restartFailed", { name }));
    }
    setBusy(false);
  };
  const edit = async (): Promise<void> => {
    try {
      const { configuration } = await readConfiguration();
      const entry = configuration.connections?.find((one) => one.name === name);
      if (entry === undefined) return note(t("connection.notConfigured", { name }));
      changeDraft(draftOf(entry));
      go("connections", { add: "settings" });
    } catch (error) {
      fault(error, t("connection.editFailed", { name }));
    }
  };
  return (
    <>
      {open && (
        <a className="button" {...link("connections", { name })}>
          {t("connection.open")}
        </a>
      )}
      {configure && health !== undefined && (
        <Button icon="restart" disabled={busy} onClick={() => void restart()}>
          {t("connection.restart")}
        </Button>
      )}
      {configure && health !== undefined && (
        <Button icon="pencil" onClick={() => void edit()}>
          {t("connection.edit")}
        </Button>
      )}
      {configure && !open && (
        <Button
          icon="bin"
          title={t("connection.remove")}
          aria-label={t("connection.remove")}
          onClick={() => setRemoving(true)}
        />
      )}
      {removing && (
        <ChangeDialog
          title={t("connection.removing", { name })}
          edit={(current) => ({ value: withoutConnection(current, name) })}
          onClose={(done) => {
            setRemoving(false);
            if (done) go("connections");
          }}
        />
      )}
    </>
  );
}
