import { type FormEvent, useState } from "react";
import { Button, TextField } from "../kit/index.ts";
import { contributedPage } from "./contributions.ts";
import { t } from "./i18n.ts";
import { ProblemView } from "./problem.tsx";
import { usePlace } from "./router.ts";
import { signIn } from "./session.ts";
import { LanguageChoice, ThemeChoice } from "./user-menu.tsx";

const onLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

export function SignIn({ reason }: { reason: "first" | "expired" }) {
  const kiosk = contributedPage(usePlace().page)?.frame === "bare";
  const [secret, setSecret] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(secret.trim(), kiosk ? "kiosk" : "console");
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={(event) => void submit(event)}>
        <div className="sign-in-brand">
          <img src="/lineshaft.svg" width="44" height="44" alt="" />
          <div>
            <h1>Lineshaft</h1>
            <p>{t("signIn.claim")}</p>
          </div>
        </div>
        {reason === "expired" && <p className="sign-in-note">{t("signIn.expired")}</p>}
        <TextField
          label={t("signIn.secret")}
          type="password"
          name="secret"
          autoComplete="current-password"
          value={secret}
          onChange={setSecret}
          hint={onLoopback ? t("signIn.hintLoopback") : t("signIn.hint")}
          autoFocus
        />
        {error !== null && <ProblemView error={error} />}
        <Button kind="main" type="submit" disabled={busy || secret.trim() === ""}>
          {busy ? t("signIn.busy") : t("signIn.button")}
        </Button>
      </form>
      <div className="sign-in-choices">
        <LanguageChoice />
        <ThemeChoice />
      </div>
    </main>
  );
}
