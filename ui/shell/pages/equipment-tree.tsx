import { type Equipment, type EquipmentLevel, equipmentLevels, nameFault } from "@lineshaft/contract/api";
import { type FormEvent, lazy, Suspense, useMemo, useState } from "react";
import { Button, Field, InlineEdit, TextField, Tree, type TreeNode } from "../../kit/index.ts";
import { changeEquipment, createEquipment, type Directory, useDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { allowed } from "../session.ts";
import { useMedia } from "../use.ts";

const EquipmentDialog = lazy(() =>
  import("../equipment/equipment-dialog.tsx").then((m) => ({ default: m.EquipmentDialog })),
);

/** The two halves of the tree: where things are, and what has no place yet. */
function nodesOf(directory: Directory): TreeNode[] {
  const own = new Map<number, number>();
  const loose = new Map<string, number>();
  for (const tag of directory.tags) {
    if (tag.equipmentId !== null) own.set(tag.equipmentId, (own.get(tag.equipmentId) ?? 0) + 1);
    else loose.set(tag.connection, (loose.get(tag.connection) ?? 0) + 1);
  }
  const children = new Map<number | null, Equipment[]>();
  for (const item of directory.equipment) {
    const parent = item.parentId !== null && directory.equipmentById.has(item.parentId) ? item.parentId : null;
    children.set(parent, [...(children.get(parent) ?? []), item]);
  }
  const build = (item: Equipment): { node: TreeNode; tags: number } => {
    const below = (children.get(item.id) ?? []).map(build);
    const tags = below.reduce((sum, { tags }) => sum + tags, own.get(item.id) ?? 0);
    const key = `equipment:${item.id}`;
    return {
      tags,
      node: {
        id: `e:${item.id}`,
        label: (
          <span
            className={directory.pending.has(key) ? "pending" : directory.rolledBack.has(key) ? "rolled-back" : ""}
            title={t(`level.${item.level}`)}
          >
            {item.name}
          </span>
        ),
        note: tags > 0 ? fmt.integer(tags) : undefined,
        children: below.map(({ node }) => node),
      },
    };
  };
  const roots = (children.get(null) ?? []).map((item) => build(item).node);
  const unassigned = [...loose.values()].reduce((sum, n) => sum + n, 0);
  return [
    { id: "all", label: t("tree.all"), note: fmt.integer(directory.tags.length) },
    ...roots,
    {
      id: "u",
      label: t("tree.unassigned"),
      note: fmt.integer(unassigned),
      children: directory.connections
        .filter((connection) => (loose.get(connection.name) ?? 0) > 0)
        .map((connection) => ({
          id: `c:${connection.name}`,
          label: connection.name,
          note: fmt.integer(loose.get(connection.name) ?? 0),
          mark: connection.state === "silent" ? ("warn" as const) : null,
        })),
    },
  ];
}

export function EquipmentTree(props: { selected: string; onSelect(id: string): void }) {
  const directory = useDirectory("tags");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [renaming, setRenaming] = useState<number | null>(null);
  const [editing, setEditing] = useState<number | null>(null);
  const [creating, setCreating] = useState(false);
  const narrow = useMedia("(max-width: 1100px)");
  const [unfolded, setUnfolded] = useState(false);
  const nodes = useMemo(() => nodesOf(directory), [directory]);
  // Open unless closed by hand: a tree of a plant is read as a whole.
  const open = useMemo(() => {
    const ids = new Set<string>();
    const visit = (list: readonly TreeNode[]): void => {
      for (const node of list) {
        if (!closed.has(node.id)) ids.add(node.id);
        visit(node.children ?? []);
      }
    };
    visit(nodes);
    return ids;
  }, [nodes, closed]);
  const item = props.selected.startsWith("e:")
    ? directory.equipmentById.get(Number(props.selected.slice(2)))
    : undefined;
  const configure = allowed("configure");
  const edited = editing === null ? undefined : directory.equipmentById.get(editing);
  const renamed = renaming === null ? undefined : directory.equipmentById.get(renaming);
  const selectedLabel =
    item?.name ??
    (props.selected === "all"
      ? t("tree.all")
      : props.selected === "u"
        ? t("tree.unassigned")
        : props.selected.slice(2));

  return (
    <section className={`tree-panel ${narrow ? "tree-narrow" : ""}`} aria-label={t("tree.title")}>
      {narrow && (
        <button type="button" className="tree-fold" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
          <span>{selectedLabel}</span>
          <span aria-hidden="true">{unfolded ? "▴" : "▾"}</span>
        </button>
      )}
      {(!narrow || unfolded) && (
        <div className="tree-fold-body">
          <header className="panel-head">
            <h2>{t("tree.title")}</h2>
            {configure && item !== undefined && item.level !== "enterprise" && (
              <Button
                kind="quiet"
                icon="pencil"
                title={t("tree.edit")}
                aria-label={t("tree.edit")}
                onClick={() => setEditing(item.id)}
              />
            )}
            {configure && (
              <Button
                kind="quiet"
                icon="plus"
                title={t("tree.create")}
                aria-label={t("tree.create")}
                aria-expanded={creating}
                onClick={() => setCreating(!creating)}
              />
            )}
          </header>
          {creating && (
            <CreateForm
              below={item ?? directory.equipment.find(({ level }) => level === "enterprise") ?? null}
              onDone={(made) => {
                setCreating(false);
                if (made !== null) props.onSelect(`e:${made.id}`);
              }}
            />
          )}
          <Tree
            label={t("tree.title")}
            nodes={nodes}
            selected={props.selected}
            open={open}
            onOpen={(next) => {
              const shut = new Set<string>(closed);
              for (const id of open) if (!next.has(id)) shut.add(id);
              for (const id of next) shut.delete(id);
              setClosed(shut);
            }}
            onSelect={(id) => {
              props.onSelect(id);
              setUnfolded(false);
            }}
            onKey={(event, id) => {
              if (event.key !== "F2" || !configure || !id.startsWith("e:")) return false;
              setRenaming(Number(id.slice(2)));
              return true;
            }}
            editing={
              renamed === undefined
                ? null
                : {
                    id: `e:${renamed.id}`,
                    editor: (
                      <InlineEdit
                        label={t("tree.renameItem", { name: renamed.name })}
                        value={renamed.name}
                        onCancel={() => setRenaming(null)}
                        onSave={(name) => {
                          setRenaming(null);
                          if (name !== "") void changeEquipment(renamed, { name });
                        }}
                      />
                    ),
                  }
            }
          />
        </div>
      )}
      {edited !== undefined && (
        <Suspense fallback={null}>
          <EquipmentDialog key={edited.id} item={edited} onClose={() => setEditing(null)} />
        </Suspense>
      )}
    </section>
  );
}

function CreateForm(props: { below: Equipment | null; onDone(made: Equipment | null): void }) {
  const parentLevel = props.below?.level ?? "enterprise";
  const levels = equipmentLevels.slice(equipmentLevels.indexOf(parentLevel) + 1);
  const [level, setLevel] = useState<EquipmentLevel | undefined>(levels[0]);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  if (level === undefined)
    return <p className="footnote">{t("tree.noLevelBelow", { level: t(`level.${parentLevel}`) })}</p>;
  const fault = name === "" ? null : nameFault(name.trim());
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const made = await createEquipment({
      level,
      name: name.trim(),
      ...(props.below === null ? {} : { parentId: props.below.id }),
    });
    setBusy(false);
    if (made !== null) props.onDone(made);
  };
  return (
    <form
      className="create-form"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(e) => e.key === "Escape" && props.onDone(null)}
    >
      <p className="soft">
        {props.below === null ? t("tree.newRoot") : t("tree.newBelow", { name: props.below.name })}
      </p>
      <Field label={t("tree.level")}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={level}
            onChange={(event) => setLevel(event.target.value as EquipmentLevel)}
          >
            {levels.map((one) => (
              <option key={one} value={one}>
                {t(`level.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label={t("tree.name")}
        value={name}
        onChange={setName}
        fault={fault === null ? null : t("name.invalid")}
        autoFocus
      />
      <div className="form-buttons">
        <Button kind="main" type="submit" disabled={busy || name.trim() === "" || fault !== null}>
          {t("tree.createButton")}
        </Button>
        <Button kind="quiet" onClick={() => props.onDone(null)}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}
