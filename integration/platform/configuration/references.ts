/**
 * References in the values of a configuration: `env` is put in by whoever reads the file, before anything is sent; `secret` is never put in here,
 * only by the connector that needs it. `$$` before the brace means the text itself.
 */
const environment = /\$(\$?)\{env:([^}]*)\}/g;
const anyReference = /\$(\$?)\{(env|secret):([^}]*)\}/g;
const secretName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function hasEnvironment(text: string): boolean {
  return text.includes("{env:");
}

/** Variables put in; `missing` are those that are not set (or whose names cannot be), left as they are. */
export function expandEnvironment(
  text: string,
  env: ((name: string) => string | undefined) | null,
): { text: string; missing: string[] } {
  const missing: string[] = [];
  const expanded = text.replaceAll(environment, (whole: string, doubled: string, name: string) => {
    if (doubled !== "") return whole.slice(1);
    const value = env?.(name);
    if (value === undefined) missing.push(JSON.stringify(name));
    return value ?? whole;
  });
  return { text: expanded, missing };
}

/** The opposite: text that reads back as exactly this. */
export function escapeEnvironment(text: string): string {
  return text.replaceAll(/\$(?=\{env:[^}]*\})/g, "$$$$");
}

/** Names of the secrets that a text refers to; null for one that cannot be a name. */
export function secretsIn(text: string): (string | null)[] {
  return [...text.matchAll(anyReference)]
    .filter(([, doubled, kind]) => doubled === "" && kind === "secret")
    .map(([, , , name]) => (secretName.test(name) ? name : null));
}
