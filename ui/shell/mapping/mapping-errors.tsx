import { tagName, tagPlace, useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { call } from "../platform.ts";
import { link } from "../router.ts";
import { useLoaded } from "../use.ts";

const everyMs = 15_000;

/** Tags with values that their mapping says nothing of, the worst first; nothing where all is said. */
export function MappingErrorList() {
  const { tagById } = useDirectory("tags");
  const found = useLoaded("mapping errors", async () => (await call("listMappingErrors")).items, everyMs);
  const items = (found.data ?? []).flatMap(({ tagId, values }) => {
    const tag = tagById.get(tagId);
    return tag === undefined ? [] : [{ tag, values }];
  });
  if (items.length === 0) return null;
  return (
    <details className="mapping-errors">
      <summary>{t("mappingErrors.title", { n: items.length })}</summary>
      <p className="soft">{t("mappingErrors.what")}</p>
      <ul>
        {items.map(({ tag, values }) => (
          <li key={tag.id}>
            <a {...link("equipment", { tag: tag.id })}>{tagName(tag)}</a>{" "}
            <span className="soft">
              {tagPlace(tag).replaceAll("/", " / ")} · {t("mappingErrors.values", { n: values })}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
