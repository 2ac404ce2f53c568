import { type DragEvent, useRef, useState } from "react";
import { Button } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { go } from "../router.ts";
import { ApplyButton, ChangeBody } from "./change-dialog.tsx";
import { type Fault, Faults } from "./faults.tsx";
import { useChange } from "./use-change.ts";

/** A plant as text: chosen, dropped or pasted; what is wrong is told by line, what would happen is shown, then it is applied. */
export function ImportView() {
  const [text, setText] = useState("");
  const [looked, setLooked] = useState<{ text: string; turn: number } | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const take = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return;
    const read = await chosen.text();
    setText(read);
    setLooked({ text: read, turn: (looked?.turn ?? 0) + 1 });
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    void take(event.dataTransfer.files[0]);
  };
  const show = (fault: Fault): void => {
    const element = area.current;
    if (element === null || fault.line === undefined) return;
    const start = text.split("\n", fault.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    const end = text.indexOf("\n", start);
    element.focus();
    element.setSelectionRange(start, end < 0 ? text.length : end);
    const height = Number.parseFloat(getComputedStyle(element).lineHeight);
    element.scrollTop = Math.max(0, (fault.line - 4) * height);
  };
  return (
    <div className="configuration-import">
      <section className="import-text" aria-label={t("import.text")}>
        <div className="toolbar">
          <h2>{t("import.title")}</h2>
          <span className="spring" />
          <Button onClick={() => file.current?.click()}>{t("import.choose")}</Button>
          <input
            ref={file}
            type="file"
            className="unseen"
            tabIndex={-1}
            aria-label={t("import.choose")}
            accept=".yaml,.yml,.json,application/yaml"
            onChange={(event) => {
              void take(event.target.files?.[0]);
              event.target.value = "";
            }}
          />
          <Button kind="quiet" onClick={() => go("configuration")}>
            {t("cancel")}
          </Button>
        </div>
        <p className="soft">{t("import.hint")}</p>
        <textarea
          ref={area}
          className="input mono yaml"
          aria-label={t("import.text")}
          placeholder={"version: 1\nequipment:\n  - { path: Westgate, level: site }"}
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onDragOver={(event) => event.preventDefault()}
          onDrop={onDrop}
        />
      </section>
      <section className="import-plan" aria-label={t("plan.title")}>
        {looked === null || looked.text !== text ? (
          <>
            <div className="toolbar">
              <Button
                kind="main"
                disabled={text.trim() === ""}
                onClick={() => setLooked({ text, turn: (looked?.turn ?? 0) + 1 })}
              >
                {t("import.plan")}
              </Button>
            </div>
            <p className="soft">{t("import.planHint")}</p>
          </>
        ) : (
          <ImportPlan key={looked.turn} text={looked.text} onPlace={show} />
        )}
      </section>
    </div>
  );
}

function ImportPlan(props: { text: string; onPlace(fault: Fault): void }) {
  const change = useChange(() => ({ text: props.text }), "import");
  return (
    <>
      <div className="toolbar">
        <h2>{t("plan.title")}</h2>
        <span className="spring" />
        {change.state === "done" ? (
          <Button kind="main" onClick={() => go("configuration", { revision: change.revision })}>
            {t("change.seeRevision")}
          </Button>
        ) : (
          change.state !== "failed" && <ApplyButton change={change} onApply={() => void change.apply()} />
        )}
      </div>
      {change.state === "failed" ? (
        <Faults error={change.error} onPlace={props.onPlace}>
          <Button onClick={change.again}>{t("tryAgain")}</Button>
        </Faults>
      ) : (
        <ChangeBody change={change} onAgain={change.again} />
      )}
    </>
  );
}
