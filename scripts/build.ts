/** `npm run build`: all that a first start would prepare (packages, the console's bundle), for a service that may not write to its own code. */
import { buildConsole } from "../ui/build.ts";

await buildConsole();
console.log("The console is built.");
