import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The connector that every new one begins from: it keeps the whole contract. */
const exampleFolder = "testkit/echo";
const exampleFiles: Record<string, (kind: string) => string> = {
  "index.ts": () => "index.ts",
  "session.ts": () => "session.ts",
  "peer.fixture.ts": () => "peer.fixture.ts",
  "echo.system.test.ts": (kind) => `${kind}.test.ts`,
};
const listFile = "integration/connectivity/index.ts";

/** Writes `integration/connectivity/connectors/<kind>/` and its line in the list of kinds; gives the files written. Throws with what is wrong. */
export function scaffoldConnector(root: string, kind: string): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kind))
    throw new Error(`"${kind}" is no kind: the protocol's name in kebab-case, e.g. modbus or ethernet-ip.`);
  const folder = `integration/connectivity/connectors/${kind}`;
  if (existsSync(join(root, folder))) throw new Error(`${folder} is there already.`);
  const list = readFileSync(join(root, listFile), "utf8");
  const entry = `  ${property(kind)}: async () => (await import("./connectors/${kind}/index.ts")).${camel(kind)},\n`;
  const before = "export const connectorKinds: Record<string, ConnectorLoader> = {\n";
  if (!list.includes(before)) throw new Error(`${listFile} has no list of kinds to add to.`);

  const written: string[] = [];
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    written.push(file);
  };
  for (const [file, nameOf] of Object.entries(exampleFiles))
    write(`${folder}/${nameOf(kind)}`, renamed(readFileSync(join(root, exampleFolder, file), "utf8"), kind));
  write(`${folder}/README.md`, readme(kind));
  write(
    listFile,
    list.replace(before, () => before + entry),
  );
  return written;
}

function renamed(text: string, kind: string): string {
  return text
    .replaceAll('kind: "echo"', `kind: "${kind}"`)
    .replaceAll('title: "Echo"', `title: "${title(kind)}"`)
    .replaceAll(/\bEcho: lines of JSON over TCP\. [^*]*(?= \*\/)/g, `${title(kind)}.`)
    .replaceAll("echo", camel(kind))
    .replaceAll(
      "Echo",
      camel(kind).replace(/^./, (letter) => letter.toUpperCase()),
    );
}

const camel = (kind: string): string => kind.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const property = (kind: string): string => (kind.includes("-") ? `"${kind}"` : kind);
const title = (kind: string): string => kind.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase());

function readme(kind: string): string {
  return `# ${title(kind)}

What it reads, by which protocol, in a sentence or two.

## Tested devices
None yet: the tests talk to \`peer.fixture.ts\`.

## Known limitations
- It still speaks the lines of JSON of the example that it began from.

## Troubleshooting
- **unreachable**: is the device switched on, and are host and port right?
- **unauthorised**: compare the credential with the device's own settings.
- **misconfigured**: the message names the field.
`;
}
