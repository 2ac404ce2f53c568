import { type ApiKey, type Role, roles } from "@lineshaft/contract/api";
import { type FormEvent, useState } from "react";
import { ageText, Button, CopyBlock, Dialog, Field, TextField } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { copyLabels, ProblemView } from "../problem.tsx";
import { fault, note } from "../toasts.tsx";
import { useLoaded, useNow } from "../use.ts";

const roleNames = Object.keys(roles) as Role[];
const lifetimes = [null, 1, 30, 90, 365] as const;

export function KeysSection() {
  const keys = useLoaded("keys", (signal) => call("listKeys", { query: { limit: 1000 }, signal }), 30_000);
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const now = useNow();
  const usable = (key: ApiKey): boolean => key.revokedUs === null && (key.expiresUs === null || key.expiresUs > now);
  const rows = [...(keys.data?.items ?? [])].sort(
    (a, b) => Number(usable(b)) - Number(usable(a)) || b.createdUs - a.createdUs,
  );
  const revoke = async (key: ApiKey): Promise<void> => {
    setRevoking(null);
    try {
      await call("revokeKey", { params: { id: key.id } });
      note(t("keys.revoked", { name: key.name }));
      keys.reload();
    } catch (error) {
      fault(error, t("keys.revokeFailed", { name: key.name }));
    }
  };
  return (
    <section aria-label={t("keys.title")}>
      <header className="section-head">
        <h2>{t("keys.title")}</h2>
        <Button icon="plus" onClick={() => setCreating(true)}>
          {t("keys.create")}
        </Button>
      </header>
      {keys.error !== null && <ProblemView error={keys.error} />}
      {keys.data !== null && rows.length === 0 && <p className="footnote">{t("keys.none")}</p>}
      {rows.length > 0 && (
        <div className="table-frame">
          <table className="plain">
            <caption className="unseen">{t("keys.title")}</caption>
            <thead>
              <tr>
                <th>{t("keys.name")}</th>
                <th>{t("keys.role")}</th>
                <th>{t("keys.scopes")}</th>
                <th>{t("keys.created")}</th>
                <th>{t("keys.expires")}</th>
                <th>{t("keys.lastUsed")}</th>
                <th>
                  <span className="unseen">{t("keys.revoke")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((key) => (
                <tr key={key.id} className={usable(key) ? "" : "spent"}>
                  <th scope="row">
                    {key.name} <span className="soft mono">{key.id}</span>
                  </th>
                  <td>{t(`role.${key.role}`)}</td>
                  <td>{key.scopes.some((scope) => scope === "") ? t("keys.everything") : key.scopes.join(", ")}</td>
                  <td className="nowrap">{fmt.date(key.createdUs)}</td>
                  <td className="nowrap">
                    {key.revokedUs !== null
                      ? t("keys.revokedAt", { time: fmt.date(key.revokedUs) })
                      : key.expiresUs === null
                        ? t("keys.never")
                        : fmt.date(key.expiresUs)}
                  </td>
                  <td className="nowrap">
                    {key.lastUsedUs === null
                      ? t("keys.unused")
                      : t("connections.ago", { age: ageText(now - key.lastUsedUs, fmt) })}
                  </td>
                  <td className="right">
                    {key.revokedUs === null && (
                      <Button
                        kind="quiet"
                        onClick={() => setRevoking(key)}
                        aria-label={t("keys.revokeNamed", { name: key.name })}
                      >
                        {t("keys.revoke")}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && (
        <CreateKey
          onClose={() => {
            setCreating(false);
            keys.reload();
          }}
        />
      )}
      {revoking !== null && (
        <Dialog
          title={t("keys.revokeNamed", { name: revoking.name })}
          closeLabel={t("close")}
          onClose={() => setRevoking(null)}
        >
          <p>{t("keys.revokeWarning")}</p>
          <div className="form-buttons">
            <Button kind="danger" onClick={() => void revoke(revoking)}>
              {t("keys.revoke")}
            </Button>
            <Button kind="quiet" onClick={() => setRevoking(null)}>
              {t("cancel")}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function CreateKey({ onClose }: { onClose(): void }) {
  const { equipment } = useDirectory();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("source");
  const [scope, setScope] = useState("");
  const [days, setDays] = useState<number | null>(null);
  const [made, setMade] = useState<{ key: ApiKey; secret: string } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const now = useNow();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const expiresUs = days === null ? null : Math.round(now + days * 86_400e6);
      setMade(await call("createKey", { body: { name: name.trim(), role, scopes: [scope], expiresUs } }));
      setError(null);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (made !== null)
    return (
      <Dialog title={t("keys.made", { name: made.key.name })} closeLabel={t("close")} onClose={onClose}>
        <p>{t("keys.onceOnly")}</p>
        <CopyBlock text={made.secret} labels={copyLabels()} label={t("keys.secret")} />
        <div className="form-buttons">
          <Button kind="main" onClick={onClose}>
            {t("keys.kept")}
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t("keys.create")} closeLabel={t("close")} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <TextField
          label={t("keys.name")}
          value={name}
          onChange={setName}
          maxLength={128}
          hint={t("keys.nameHint")}
          autoFocus
        />
        <Field label={t("keys.role")} hint={t(`roleHint.${role}`)}>
          {(id) => (
            <select id={id} className="input" value={role} onChange={(event) => setRole(event.target.value as Role)}>
              {roleNames.map((one) => (
                <option key={one} value={one}>
                  {t(`role.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("keys.scopes")}>
          {(id) => (
            <select id={id} className="input" value={scope} onChange={(event) => setScope(event.target.value)}>
              <option value="">{t("keys.everything")}</option>
              {equipment
                .filter(({ path }) => path !== "")
                .map(({ id: key, path }) => (
                  <option key={key} value={path}>
                    {path}
                  </option>
                ))}
            </select>
          )}
        </Field>
        <Field label={t("keys.expires")}>
          {(id) => (
            <select
              id={id}
              className="input"
              value={days ?? ""}
              onChange={(event) => setDays(event.target.value === "" ? null : Number(event.target.value))}
            >
              {lifetimes.map((one) => (
                <option key={one ?? "never"} value={one ?? ""}>
                  {one === null ? t("keys.never") : t("keys.days", { n: one })}
                </option>
              ))}
            </select>
          )}
        </Field>
        {error !== null && <ProblemView error={error} />}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={busy || name.trim() === ""}>
            {t("keys.createButton")}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
