import type { RawTag } from "@lineshaft/contract/api";
import { useState } from "react";
import { Dialog, type Pick, Picker } from "../../kit/index.ts";
import { changeTag, matches, tagName, useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { note } from "../toasts.tsx";

/** Changes that run at the same time; each carries its own revision, so a bulk is many small changes. */
const atOnce = 4;

/** Gives tags their place on the equipment tree, or takes it away. */
export function AssignDialog(props: { tags: readonly RawTag[]; onClose(): void; onDone(): void }) {
  const { equipment } = useDirectory();
  const [text, setText] = useState("");
  const picks: Pick[] = [
    ...equipment
      .filter((item) => text === "" || matches(text, item.name, item.path))
      .slice(0, 200)
      .map((item) => ({
        id: String(item.id),
        label: (
          <span style={{ paddingLeft: text === "" && item.path !== "" ? item.path.split("/").length * 14 : 0 }}>
            {item.name}
          </span>
        ),
        note: t(`level.${item.level}`),
      })),
    { id: "none", label: t("assign.none"), group: t("assign.orNone") },
  ];
  const assign = async (id: string): Promise<void> => {
    const equipmentId = id === "none" ? null : Number(id);
    props.onDone();
    const waiting = props.tags.filter((tag) => tag.equipmentId !== equipmentId);
    let done = 0;
    const worker = async (): Promise<void> => {
      for (let tag = waiting.pop(); tag !== undefined; tag = waiting.pop())
        if (await changeTag(tag, { equipmentId })) done++;
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (done > 0) note(t("assign.done", { n: done }));
  };
  const title =
    props.tags.length === 1
      ? t("assign.one", { name: tagName(props.tags[0]) })
      : t("assign.many", { n: props.tags.length });
  return (
    <Dialog title={title} closeLabel={t("close")} onClose={props.onClose}>
      {equipment.length === 0 && <p className="soft">{t("assign.noEquipment")}</p>}
      <Picker
        label={t("assign.to")}
        placeholder={t("assign.to")}
        text={text}
        onText={setText}
        picks={picks}
        none={t("search.none")}
        onPick={(id) => void assign(id)}
        onCancel={props.onClose}
        autoFocus
      />
    </Dialog>
  );
}
