import { useState } from "react";
import { Segments } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { BrowseStep } from "./browse-step.tsx";
import { DeviceAccess } from "./device-access.tsx";
import { ListStep } from "./list-step.tsx";
import { TemplatesStep } from "./templates-step.tsx";
import type { StepProps } from "./wizard.tsx";

type Way = "browse" | "list" | "templates" | "announced";

/** Ways to say what is read, the best first. A kind that is not named here may be able to browse, and always takes a list. */
const waysOf: Partial<Record<string, readonly Way[]>> = {
  modbus: ["list"],
  mqtt: ["templates"],
  "mqtt-broker": ["templates"],
  sparkplug: ["announced"],
  "sparkplug-broker": ["announced"],
};

export function TagsStep(props: StepProps) {
  const ways = waysOf[props.kind.kind] ?? ["browse", "list"];
  const [way, setWay] = useState<Way>(ways[0]);
  return (
    <div className="tags-step">
      {ways.length > 1 && (
        <Segments<Way>
          label={t("tagsStep.way")}
          value={way}
          choices={ways.map((value) => ({ value, label: t(`tagsStep.${value}`) }))}
          onChange={setWay}
        />
      )}
      {way === "browse" && <BrowseStep {...props} />}
      {way === "list" && <ListStep {...props} />}
      {way === "templates" && <TemplatesStep {...props} />}
      {props.kind.mode === "listens" && <DeviceAccess name={props.draft.name} scope={props.draft.scope} />}
      {way === "announced" && <p className="announced">{t("tagsStep.announcedWhat")}</p>}
    </div>
  );
}
