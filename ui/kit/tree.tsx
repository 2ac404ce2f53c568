import { type KeyboardEvent, type ReactNode, useState } from "react";
import { Icon } from "./icon.tsx";

export interface TreeNode {
  id: string;
  label: ReactNode;
  /** Right-aligned, small: a count. */
  note?: ReactNode;
  mark?: "alarm" | "warn" | null;
  children?: readonly TreeNode[];
}

interface Shown {
  node: TreeNode;
  depth: number;
  parent: string | null;
}

function shownNodes(
  nodes: readonly TreeNode[],
  open: ReadonlySet<string>,
  depth = 0,
  parent: string | null = null,
): Shown[] {
  return nodes.flatMap((node) => [
    { node, depth, parent },
    ...(node.children !== undefined && open.has(node.id) ? shownNodes(node.children, open, depth + 1, node.id) : []),
  ]);
}

/** A tree with one tab stop: up and down move, right and left open and close, Enter chooses. */
export function Tree(props: {
  label: string;
  nodes: readonly TreeNode[];
  selected: string | null;
  open: ReadonlySet<string>;
  onOpen(open: ReadonlySet<string>): void;
  onSelect(id: string): void;
  onKey?(event: KeyboardEvent, id: string): boolean;
  /** Replaces the label of one node, e.g. by an input. */
  editing?: { id: string; editor: ReactNode } | null;
}) {
  const shown = shownNodes(props.nodes, props.open);
  const [focused, setFocused] = useState<string | null>(null);
  const current = shown.find(({ node }) => node.id === (focused ?? props.selected)) ?? shown[0];

  const toggle = (id: string, wanted?: boolean): void => {
    const next = new Set(props.open);
    if (wanted ?? !next.has(id)) next.add(id);
    else next.delete(id);
    props.onOpen(next);
  };
  const focus = (list: HTMLElement, id: string | undefined): void => {
    if (id === undefined) return;
    setFocused(id);
    list.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (current === undefined || event.target instanceof HTMLInputElement) return;
    if (props.onKey?.(event, current.node.id)) {
      event.preventDefault();
      return;
    }
    const at = shown.indexOf(current);
    const list = event.currentTarget;
    const isOpen = props.open.has(current.node.id);
    switch (event.key) {
      case "ArrowDown":
        focus(list, shown[at + 1]?.node.id);
        break;
      case "ArrowUp":
        focus(list, shown[at - 1]?.node.id);
        break;
      case "Home":
        focus(list, shown[0]?.node.id);
        break;
      case "End":
        focus(list, shown[shown.length - 1]?.node.id);
        break;
      case "ArrowRight":
        if (current.node.children?.length && !isOpen) toggle(current.node.id, true);
        else if (isOpen) focus(list, shown[at + 1]?.node.id);
        break;
      case "ArrowLeft":
        if (isOpen) toggle(current.node.id, false);
        else focus(list, current.parent ?? undefined);
        break;
      case "Enter":
      case " ":
        props.onSelect(current.node.id);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    <div className="tree" role="tree" aria-label={props.label} onKeyDown={onKeyDown}>
      {shown.map(({ node, depth }) => {
        const folder = (node.children?.length ?? 0) > 0;
        const editing = props.editing?.id === node.id ? props.editing.editor : null;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the tree
          <div
            key={node.id}
            role="treeitem"
            data-node={node.id}
            className="tree-node"
            aria-level={depth + 1}
            aria-expanded={folder ? props.open.has(node.id) : undefined}
            aria-selected={node.id === props.selected}
            tabIndex={node.id === current?.node.id ? 0 : -1}
            style={{ paddingLeft: 6 + depth * 14 }}
            onClick={() => {
              setFocused(node.id);
              props.onSelect(node.id);
            }}
          >
            {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys do the same */}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the arrow keys do the same */}
            <span
              className={`tree-arrow ${folder ? "" : "leaf"} ${props.open.has(node.id) ? "open" : ""}`}
              onClick={(event) => {
                if (!folder) return;
                event.stopPropagation();
                toggle(node.id);
              }}
            >
              {folder && <Icon name="right" size={14} />}
            </span>
            {editing ?? <span className="tree-label">{node.label}</span>}
            {node.mark != null && <span className={`tree-mark mark-${node.mark}`} aria-hidden="true" />}
            {node.note !== undefined && <span className="tree-note">{node.note}</span>}
          </div>
        );
      })}
    </div>
  );
}
