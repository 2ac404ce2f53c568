import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Button, Icon, Segments } from "../kit/index.ts";
import { getLocale, type Locale, observeLocale, setLocale, t } from "./i18n.ts";
import { openOverlay } from "./overlays.tsx";
import { signOut, useSession } from "./session.ts";
import { getTheme, observeTheme, setTheme, type Theme } from "./theme.ts";
import { fault } from "./toasts.tsx";

export function LanguageChoice() {
  const locale = useSyncExternalStore(observeLocale, getLocale);
  return (
    <Segments<Locale>
      label={t("language")}
      value={locale}
      choices={[
        { value: "de", label: "Deutsch" },
        { value: "en", label: "English" },
      ]}
      onChange={(next) => void setLocale(next).catch((error: unknown) => fault(error, t("user.languageFailed")))}
    />
  );
}

export function ThemeChoice() {
  const theme = useSyncExternalStore(observeTheme, getTheme);
  return (
    <Segments<Theme>
      label={t("theme")}
      value={theme}
      choices={[
        { value: "system", label: t("theme.system") },
        { value: "light", label: t("theme.light") },
        { value: "dark", label: t("theme.dark") },
      ]}
      onChange={setTheme}
    />
  );
}

export function UserMenu() {
  const session = useSession();
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const onDown = (event: PointerEvent): void => {
      if (!menu.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") setOpen(false);
    };
    addEventListener("pointerdown", onDown);
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("pointerdown", onDown);
      removeEventListener("keydown", onKey);
    };
  }, [open]);
  if (session.state !== "signedIn") return null;
  const { name, role, scopes, demo } = session.session;
  return (
    <div className="user-menu" ref={menu}>
      <button
        type="button"
        className="user-button"
        aria-expanded={open}
        aria-haspopup="true"
        aria-label={t("user.menu", { name })}
        onClick={() => setOpen(!open)}
      >
        <Icon name="user" />
        {demo && <span className="demo-mark">{t("demo")}</span>}
      </button>
      {open && (
        <section className="popover" aria-label={t("user.menu", { name })}>
          <p className="user-name">
            {name}
            <span>
              {t(`role.${role}`)}
              {scopes.some((scope) => scope !== "") && ` · ${scopes.join(", ")}`}
            </span>
          </p>
          <LanguageChoice />
          <ThemeChoice />
          <div className="popover-buttons">
            <Button
              kind="quiet"
              onClick={() => {
                setOpen(false);
                openOverlay("shortcuts");
              }}
            >
              {t("shortcuts.title")} <kbd>?</kbd>
            </Button>
            <Button kind="quiet" onClick={() => void signOut()}>
              {t("signOut")}
            </Button>
          </div>
        </section>
      )}
    </div>
  );
}
