/** `npm run new connector <kind>`: a folder that passes the contract suite from the first minute, to be turned into the real protocol step by step. */
import { root } from "./lib/overlay.ts";
import { bin, runNode } from "./lib/run.ts";
import { scaffoldConnector } from "./lib/scaffold.ts";

const [what, kind] = process.argv.slice(2);
if (what !== "connector" || kind === undefined) {
  console.error("npm run new connector <kind>    e.g. npm run new connector ethernet-ip");
  process.exitCode = 2;
} else {
  try {
    const files = scaffoldConnector(root, kind);
    await runNode([bin("@biomejs/biome", "biome"), "format", "--write", ...files]);
    for (const file of files) console.log(file);
    console.log(`\nNow: npx vitest run integration/connectivity/connectors/${kind}`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
