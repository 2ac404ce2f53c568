import type { TemplateConfig } from "./config.ts";

/** A template ready for use. `match` gives the address for a topic, or null. */
export interface Template {
  config: TemplateConfig;
  filter: string;
  match(topic: string): string | null;
}

type Level = { literal: string } | { variable: string; rest: boolean };

/** Reads a template; a string says what is wrong with it. */
export function readTemplate(config: TemplateConfig): Template | string {
  const levels: Level[] = [];
  const variables = new Set<string>();
  const parts = config.topic.split("/");
  for (let i = 0; i < parts.length; i++) {
    const variable = /^\{([A-Za-z][A-Za-z0-9_]*)(\.\.\.)?\}$/.exec(parts[i]);
    if (variable === null) {
      if (/[{}+#\0]/.test(parts[i]))
        return `Level "${parts[i]}": a variable is a whole level in braces; wildcards are not needed.`;
      levels.push({ literal: parts[i] });
      continue;
    }
    const rest = variable[2] !== undefined;
    if (rest && i !== parts.length - 1)
      return `{${variable[1]}...} takes all further levels, so it must be the last one.`;
    if (variables.has(variable[1])) return `The variable {${variable[1]}} stands twice.`;
    variables.add(variable[1]);
    levels.push({ variable: variable[1], rest });
  }
  if (parts[0].startsWith("$")) return "Topics that begin with $ belong to the server.";
  const tag = config.tag ?? null;
  for (const [, name] of tag?.matchAll(/\{([^{}]*)\}/g) ?? []) {
    if (!variables.has(name)) return `The tag uses {${name}}, which the topic does not have.`;
  }
  const filter = levels.map((level) => ("literal" in level ? level.literal : level.rest ? "#" : "+")).join("/");
  return { config, filter, match: (topic: string) => matchLevels(levels, tag, topic) };
}

function matchLevels(levels: readonly Level[], tag: string | null, topic: string): string | null {
  const parts = topic.split("/");
  const found = new Map<string, string>();
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    if (i >= parts.length) return null;
    if ("literal" in level) {
      if (level.literal !== parts[i]) return null;
    } else if (level.rest) {
      found.set(level.variable, parts.slice(i).join("/"));
      return address(tag, found, topic);
    } else found.set(level.variable, parts[i]);
  }
  return levels.length === parts.length ? address(tag, found, topic) : null;
}

const address = (tag: string | null, found: ReadonlyMap<string, string>, topic: string): string =>
  tag === null ? topic : tag.replace(/\{([^{}]*)\}/g, (_, name: string) => found.get(name) ?? "");
