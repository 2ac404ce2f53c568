import type { Annotation, Reason, Recorded } from "@lineshaft/contract/api";
import { Button, Dialog, type PageContext, Picker, Segments, TextField, type TimeRange } from "@lineshaft/ui/kit";
import { useState } from "react";
import type { Say } from "./texts.ts";

/** What somebody is about to say of a stop. */
export interface StopNote {
  stop: TimeRange;
  /** A part of the stop that was drawn by hand; null: all of it was meant. */
  part: TimeRange | null;
}

/** Reasons for standing, each below its parents' names; parents can be chosen as well. */
function choices(reasons: ReadonlyMap<number, Reason>, locale: PageContext["locale"]) {
  const pathOf = (reason: Reason): string[] => {
    const path: string[] = [];
    for (
      let at: Reason | undefined = reason;
      at !== undefined && path.length < 16;
      at = at.parent === null ? undefined : reasons.get(at.parent)
    )
      path.unshift(at.name[locale]);
    return path;
  };
  return [...reasons.values()]
    .filter(({ itemState, planned }) => (itemState !== null && itemState !== "Executing") || planned !== null)
    .map((reason) => ({ number: reason.number, path: pathOf(reason) }))
    .sort((a, b) => a.number - b.number);
}

/** Says why a machine stood: two steps, reason and save; a part of a stop can be told apart from the rest. */
export function StopDialog(props: {
  note: StopNote;
  reasons: ReadonlyMap<number, Reason>;
  /** What was said of this stop before. */
  before: Recorded<Annotation> | null;
  context: PageContext;
  format: PageContext["format"];
  t: Say;
  onSave(said: { kind: "reason" | "split"; range: TimeRange; reason: number; text: string }): void;
  onClose(): void;
}) {
  const { note, reasons, before, context, format, t } = props;
  const [kind, setKind] = useState<"reason" | "split">(note.part === null ? "reason" : "split");
  const [filter, setFilter] = useState("");
  const [reason, setReason] = useState<number | null>(before?.item.reason ?? null);
  const [text, setText] = useState(before?.item.text ?? "");
  const range = kind === "split" && note.part !== null ? note.part : note.stop;
  const words = filter.toLocaleLowerCase(context.locale).split(/\s+/);
  const picks = choices(reasons, context.locale)
    .filter(({ path }) => words.every((word) => path.join(" ").toLocaleLowerCase(context.locale).includes(word)))
    .map(({ number, path }) => ({
      id: String(number),
      label: (
        <span className={number === reason ? "reason-chosen" : ""} style={{ paddingLeft: (path.length - 1) * 16 }}>
          {path[path.length - 1]}
        </span>
      ),
      note: path.length > 1 ? path[0] : undefined,
    }));
  return (
    <Dialog
      title={t(kind === "split" ? "stop.titleSplit" : "stop.title")}
      closeLabel={t("close")}
      onClose={props.onClose}
      className="stop-dialog"
    >
      <p>
        {t("stop.when", {
          from: format.dateTime(range.fromUs),
          to: format.time(range.toUs),
          time: format.duration(range.toUs - range.fromUs),
        })}
      </p>
      {note.part !== null && (
        <Segments<"reason" | "split">
          label={t("stop.of")}
          value={kind}
          choices={[
            { value: "split", label: t("stop.part") },
            { value: "reason", label: t("stop.whole") },
          ]}
          onChange={setKind}
        />
      )}
      <Picker
        label={t("stop.reason")}
        placeholder={t("stop.filter")}
        text={filter}
        onText={setFilter}
        picks={picks}
        none={t("stop.none")}
        onPick={(id) => setReason(Number(id))}
        onCancel={props.onClose}
        autoFocus
      />
      <TextField label={t("stop.note")} value={text} onChange={setText} maxLength={4000} />
      <div className="form-buttons">
        <Button onClick={props.onClose}>{t("cancel")}</Button>
        <Button
          kind="main"
          disabled={reason === null}
          onClick={() => reason !== null && props.onSave({ kind, range, reason, text: text.trim() })}
        >
          {reason === null
            ? t("stop.save")
            : `${t("stop.save")}: ${reasons.get(reason)?.name[context.locale] ?? reason}`}
        </Button>
      </div>
    </Dialog>
  );
}
