import { parseArgs } from "node:util";
import { type Micros, minuteUs } from "@lineshaft/contract/api";
import { type Protocol, protocols } from "./plant/wiring.ts";

/** The command line, parsed and bounded. */
export interface Options {
  url: string;
  seed: number;
  speed: number;
  historyUs: Micros;
  /** How much the edge node has kept when it is first heard. */
  backlogUs: Micros;
  protocols: ReadonlySet<Protocol>;
  mqttUrl: string;
  primaryHost: string | null;
  opcuaPort: number;
  modbusPort: number;
  faultPort: number;
  /** null: a temporary folder, removed at the end. */
  stateDir: string | null;
}

/** What is wrong with the command line, for the person who typed it. */
export class OptionError extends Error {
  override name = "OptionError";
}

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: "string", default: "http://127.0.0.1:8750" },
      seed: { type: "string", default: "1" },
      speed: { type: "string", default: "1" },
      "history-minutes": { type: "string", default: "120" },
      "backlog-minutes": { type: "string", default: "0" },
      protocols: { type: "string", default: "http" },
      "mqtt-url": { type: "string", default: "mqtt://127.0.0.1:1883" },
      "primary-host": { type: "string" },
      "opcua-port": { type: "string", default: "0" },
      "modbus-port": { type: "string", default: "0" },
      "fault-port": { type: "string", default: "0" },
      "state-dir": { type: "string" },
    },
  });
  type Name = keyof typeof values;
  const number = (name: Name, low: number, high: number): number => {
    const text = values[name];
    const read = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
    if (read >= low && read <= high) return read;
    throw new OptionError(`--${name} must be a number from ${low} to ${high}; it is "${text}".`);
  };
  const port = (name: Name): number => Math.floor(number(name, 0, 65_535));
  return {
    url: values.url,
    seed: number("seed", 0, 2 ** 31),
    speed: number("speed", 0.1, 50),
    historyUs: number("history-minutes", 0, 8 * 60) * minuteUs,
    backlogUs: number("backlog-minutes", 0, 60) * minuteUs,
    protocols: parseProtocols(values.protocols),
    mqttUrl: values["mqtt-url"],
    primaryHost: values["primary-host"] ?? null,
    opcuaPort: port("opcua-port"),
    modbusPort: port("modbus-port"),
    faultPort: port("fault-port"),
    stateDir: values["state-dir"] ?? null,
  };
}

function parseProtocols(text: string): ReadonlySet<Protocol> {
  const chosen = new Set<Protocol>();
  for (const name of text.split(",")) {
    const protocol = protocols.find((each) => each === name.trim());
    if (protocol === undefined)
      throw new OptionError(`--protocols takes ${protocols.join(", ")}, with commas between; it is "${text}".`);
    chosen.add(protocol);
  }
  return chosen;
}
