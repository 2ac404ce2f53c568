import { createHash } from "node:crypto";
import { join } from "node:path";
import type { UAVariable } from "node-opcua-address-space";
import type { OPCUAServer } from "node-opcua-server";
import type { Signal } from "../plant/index.ts";
import { machineOf } from "../plant/wiring.ts";
import { type FaultKind, type PlantRow, type ProtocolEnd, valueFaults, type Waiting } from "./end.ts";
import { type OpcUaLibrary, OpcUaMachine } from "./opcua-machine.ts";

export interface OpcUaOptions {
  /** 0: a free one. */
  port: number;
  machines: readonly { name: string; signals: readonly Signal[] }[];
  /** The variable with a past. */
  historized: string;
  /** The server's certificate and key, and whom it trusts, lie in a folder of their own below this. */
  stateDir: string;
  /** Who may log in besides anonymous clients. */
  user: { name: string; password: string } | null;
  waiting: Waiting;
  say(text: string): void;
}

/** The plant's own namespace; node ids in it are `s=<address>`. */
export const plantNamespace = "urn:lineshaft:simulation:plant";
/** About half an hour of a variable that is read five times a second. */
const historyValues = 10_000;

/**
 * A plant's OPC UA server on loopback: both machines that speak it, with DI, Machinery and PackML, all security policies that are not deprecated and None.
 * It trusts any client certificate: this plant has nothing to hide.
 */
export class OpcUaServer implements ProtocolEnd {
  readonly protocol = "opcua";
  readonly #options: OpcUaOptions;
  #server: OPCUAServer | null = null;
  #machines = new Map<string, OpcUaMachine>();
  #port: number;
  #thumbprint = "";
  #alarm: { cancel(): void } | null = null;
  /** One thing after the other: a restart must not meet a close. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;
  /** What a server that starts again has to show at once. */
  readonly #last = new Map<string, PlantRow>();

  private constructor(options: OpcUaOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  static async start(options: OpcUaOptions): Promise<OpcUaServer> {
    const server = new OpcUaServer(options);
    await server.#open();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** SHA-256 of the server's certificate, upper-case hex: what stands on the machine's screen. */
  get thumbprint(): string {
    return this.#thumbprint;
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.#port}`;
  }

  accept(rows: readonly PlantRow[]): void {
    for (const row of rows) {
      this.#last.set(row.signal.address, row);
      this.#machines.get(machineOf(row.signal))?.accept(row);
    }
  }

  faultsOf(): readonly FaultKind[] {
    return ["cut", "restart", ...valueFaults];
  }

  /** A download stops the controller, and the server that runs on it. */
  fault(_machine: string, kind: FaultKind, ms: number): readonly string[] | null {
    if (kind !== "cut" && kind !== "restart" && kind !== "plcDownload") return null;
    this.#alarm?.cancel();
    if (kind === "cut") this.#change(() => this.#unplug());
    else this.#change(() => this.#shutdown());
    this.#alarm = this.#options.waiting.alarm(ms, () => {
      this.#alarm = null;
      this.#change(async () => {
        if (this.#closed) return;
        if (this.#server === null) await this.#open();
        else await this.#server.resumeEndPoints();
      });
    });
    return this.#options.machines.map(({ name }) => name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm?.cancel();
    this.#change(() => this.#shutdown());
    await this.#changing;
  }

  #change(step: () => Promise<void>): void {
    this.#changing = this.#changing
      .then(step)
      .catch((error: unknown) => this.#options.say(`OPC UA server: ${String(error)}`));
  }

  /** Sessions and subscriptions live on in the server, as behind a broken cable: a good client takes them up again. */
  async #unplug(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    await server.suspendEndPoints();
    for (const endpoint of server.endpoints) endpoint.abruptlyInterruptChannels();
  }

  async #shutdown(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#machines = new Map();
    await server?.shutdown(0);
  }

  async #open(): Promise<void> {
    const [{ OPCUAServer }, { OPCUACertificateManager }, { nodesets }, addressSpace, dataAccess] = await Promise.all([
      import("node-opcua-server"),
      import("node-opcua-certificate-manager"),
      import("node-opcua-nodesets"),
      import("node-opcua-address-space"),
      import("node-opcua-data-access"),
    ]);
    const { stateDir, user, machines, historized } = this.#options;
    const certificates = new OPCUACertificateManager({
      rootFolder: join(stateDir, "opcua-server-pki"),
      automaticallyAcceptUnknownCertificate: true,
    });
    const users = new OPCUACertificateManager({
      rootFolder: join(stateDir, "opcua-user-pki"),
      automaticallyAcceptUnknownCertificate: true,
    });
    const server = new OPCUAServer({
      port: this.#port,
      host: "127.0.0.1",
      hostname: "127.0.0.1",
      nodesets: [nodesets.standard, nodesets.di, nodesets.ia, nodesets.machinery, nodesets.packML],
      serverInfo: { applicationUri: "urn:lineshaft:simulation", productUri: "urn:lineshaft:simulation" },
      buildInfo: { productName: "Lineshaft demo plant", manufacturerName: "Lineshaft", softwareVersion: "1" },
      serverCertificateManager: certificates,
      userCertificateManager: users,
      allowAnonymous: true,
      userManager: {
        isValidUser: (name: string, password: string) =>
          user !== null && name === user.name && password === user.password,
      },
      // 0: a client that asks for a sampling interval of 0 gets every change (OPC 10000-4, sampling interval), also when several come at once.
      serverCapabilities: { maxSessions: 100, minSupportedSampleRate: 0 },
      maxConnectionsPerEndpoint: 100,
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    if (space === null) throw new Error("The OPC UA server has no address space.");
    const own = space.registerNamespace(plantNamespace);
    const library: OpcUaLibrary = { ...dataAccess, promoteToStateMachine: addressSpace.promoteToStateMachine };
    const built = new Map(
      machines.map(({ name, signals }) => [name, new OpcUaMachine(space, own, library, name, signals)]),
    );
    const past = space.findNode(`ns=${own.index};s=${historized}`);
    if (past !== null) space.installHistoricalDataNode(past as UAVariable, { maxOnlineValues: historyValues });
    for (const row of this.#last.values()) built.get(machineOf(row.signal))?.accept(row);
    await server.start();
    this.#server = server;
    this.#thumbprint = createHash("sha256").update(server.getCertificate()).digest("hex").toUpperCase();
    this.#machines = built;
    this.#port = Number(new URL(server.getEndpointUrl().replace("opc.tcp:", "http:")).port);
  }
}
