import type * as Library from "node-opcua-client";
import { tolerate } from "./tolerance.ts";

/** The protocol library: some 450 exports, handed round as one value, because it is loaded only when a first connection needs it. */
export type Opcua = typeof Library;

let loading: Promise<Opcua> | undefined;

/** Loads node-opcua-client (0.7 s, 90 MB) on first use, and silences it: what is worth telling goes through errors and the context. */
export function loadOpcua(): Promise<Opcua> {
  loading ??= import("node-opcua-client").then((opcua) => {
    const nowhere = (): void => {};
    opcua.setErrorLogger(nowhere);
    opcua.setWarningLogger(nowhere);
    opcua.setDebugLogger(nowhere);
    opcua.setLogLevel(opcua.LogLevel.Emergency);
    tolerate(opcua);
    return opcua;
  });
  return loading;
}
