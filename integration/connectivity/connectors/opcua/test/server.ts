import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { realClock } from "@lineshaft/testkit";
import * as opcua from "node-opcua-client";
import { OPCUAServer, type OPCUAServerOptions } from "node-opcua-server";

/** OPC UA's own nodes, from the package that the server brings. */
const nodeset = (name: string): string =>
  createRequire(import.meta.resolve("node-opcua-server")).resolve(`node-opcua-nodesets/nodesets/${name}`);

type AddressSpace = NonNullable<OPCUAServer["engine"]["addressSpace"]>;
type Namespace = ReturnType<AddressSpace["getOwnNamespace"]>;
type Variable = ReturnType<Namespace["addVariable"]>;

/** The user that the test servers know. */
export const testUser = { name: "reader", password: "correct-horse" };

/** Certificate and key of a server, made once a folder. */
export async function serverCertificate(folder: string, applicationUri = "urn:lineshaft:test-server", key = 2048) {
  mkdirSync(folder, { recursive: true });
  const files = { certificateFile: join(folder, "server.pem"), privateKeyFile: join(folder, "server-key.pem") };
  if (!existsSync(files.certificateFile)) {
    const crypto = opcua.crypto_utils;
    const privateKey = await crypto.generatePrivateKey(key as 2048);
    const { cert } = await crypto.createSelfSignedCertificate({
      privateKey,
      subject: "/CN=Test server",
      applicationUri,
      dns: [hostname(), "localhost"],
      ip: ["127.0.0.1"],
      validity: 365,
      purpose: crypto.CertificatePurpose.ForApplication,
    });
    writeFileSync(files.privateKeyFile, (await crypto.privateKeyToPEM(privateKey)).privPem);
    writeFileSync(files.certificateFile, cert);
  }
  return files;
}

export interface TestServerOptions {
  folder: string;
  port?: number;
  /** The client's certificate is refused. */
  acceptClients?: boolean;
  /** Nodesets of companion specifications, by their file names. */
  companions?: readonly string[];
}

/** A node-opcua server on loopback, encrypted, whose variables a test sets. */
export class TestServer {
  readonly server: OPCUAServer;
  readonly port: number;
  /** Notifications that clients have acknowledged. */
  acknowledged = 0;
  #variables = new Map<string, Variable>();
  #count = 0;

  static async start(options: TestServerOptions): Promise<TestServer> {
    const nowhere = (): void => {};
    opcua.setErrorLogger(nowhere);
    opcua.setWarningLogger(nowhere);
    const good = opcua.StatusCodes.Good;
    const store = {
      referenceCounter: 0,
      initialize: async () => {},
      dispose: async () => {},
      // The server asks once for a promise, and once with a callback.
      checkCertificate: async (_: unknown, answer?: (error: null, status: opcua.StatusCode) => void) => {
        const status = options.acceptClients === false ? opcua.StatusCodes.BadCertificateUntrusted : good;
        answer?.(null, status);
        return status;
      },
      verifyCertificate: async () => "Good",
      trustCertificate: async () => {},
      rejectCertificate: async () => {},
      getTrustStatus: async () => good,
      addIssuer: async () => {},
      addRevocationList: async () => {},
    } as unknown as NonNullable<OPCUAServerOptions["serverCertificateManager"]>;
    const server = new OPCUAServer({
      port: options.port ?? 0,
      hostname: "127.0.0.1",
      ...(await serverCertificate(options.folder)),
      serverCertificateManager: store,
      userCertificateManager: store,
      serverInfo: { applicationUri: "urn:lineshaft:test-server" },
      nodesets: [
        nodeset("Opc.Ua.NodeSet2.xml"),
        ...(options.companions ?? []).map(nodeset),
        fileURLToPath(new URL("press.NodeSet2.xml", import.meta.url)),
      ],
      allowAnonymous: true,
      userManager: {
        isValidUser: (name: string, password: string) => name === testUser.name && password === testUser.password,
      },
      serverCapabilities: {
        maxSessions: 100,
        maxSubscriptions: 1000,
        // Every change is told, also of two within one sampling interval.
        minSupportedSampleRate: 0,
        operationLimits: { maxMonitoredItemsPerCall: 400, maxNodesPerRead: 500, maxNodesPerBrowse: 30 },
      },
      maxConnectionsPerEndpoint: 100,
    });
    await server.start();
    return new TestServer(server);
  }

  private constructor(server: OPCUAServer) {
    this.server = server;
    this.port = server.endpoints[0].port;
    server.on("request", (request: unknown) => {
      if (request instanceof opcua.PublishRequest)
        this.acknowledged += request.subscriptionAcknowledgements?.length ?? 0;
    });
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`;
  }

  get space(): AddressSpace {
    return this.server.engine.addressSpace!;
  }

  /** A new variable; its address. */
  add(
    name: string,
    dataType: opcua.DataType | string = opcua.DataType.Int32,
    value: unknown = 0,
    more: { historizing?: boolean; arrayType?: number; timeMs?: number } = {},
  ): string {
    const namespace = this.space.getOwnNamespace();
    const variable = namespace.addVariable({
      organizedBy: this.space.rootFolder.objects,
      browseName: name,
      nodeId: `s=${name}-${++this.#count}`,
      dataType: typeof dataType === "string" ? dataType : opcua.DataType[dataType],
      valueRank: more.arrayType === undefined ? -1 : more.arrayType,
      minimumSamplingInterval: 0,
    });
    const address = variable.nodeId.toString();
    this.#variables.set(address, variable);
    if (more.historizing) this.space.installHistoricalDataNode(variable, { maxOnlineValues: 100_000 });
    this.set(address, dataType as opcua.DataType, value, more.timeMs, opcua.StatusCodes.Good, more.arrayType);
    return address;
  }

  /** An analog item in this unit (UN/CEFACT code), and the property that says so. */
  addAnalog(name: string, code: string): { address: string; structure: string } {
    const namespace = this.space.getOwnNamespace();
    const variable = namespace.addAnalogDataItem({
      organizedBy: this.space.rootFolder.objects,
      browseName: name,
      nodeId: `s=${name}-${++this.#count}`,
      dataType: "Double",
      engineeringUnits: {
        unitId: Buffer.from(code).readUIntBE(0, code.length),
        displayName: "°C",
        description: "degree Celsius",
        namespaceUri: "http://www.opcfoundation.org/UA/units/un/cefact",
      },
      engineeringUnitsRange: { low: 0, high: 100 },
      value: { dataType: opcua.DataType.Double, value: 21.5 },
    });
    return { address: variable.nodeId.toString(), structure: variable.engineeringUnits!.nodeId.toString() };
  }

  /** A variable of a structure that only this server knows (`press.NodeSet2.xml`). */
  addRecipe(name: string, value: { speed: number; count: [number, number]; label: string }): string {
    const dataType = this.space.findDataType("RecipeType", this.space.getNamespaceIndex("urn:lineshaft:press"))!;
    const variable = this.space.getOwnNamespace().addVariable({
      organizedBy: this.space.rootFolder.objects,
      browseName: name,
      nodeId: `s=${name}`,
      dataType: dataType.nodeId,
    });
    variable.setValueFromSource({
      dataType: opcua.DataType.ExtensionObject,
      value: this.space.constructExtensionObject(dataType, value),
    });
    return variable.nodeId.toString();
  }

  /** A folder with so many variables and a folder that leads back to it. */
  addFolder(name: string, variables: number): { folder: string; cyclic: string } {
    const namespace = this.space.getOwnNamespace();
    const folder = namespace.addFolder(this.space.rootFolder.objects, { browseName: name });
    for (let i = 0; i < variables; i++) {
      namespace.addVariable({
        organizedBy: folder,
        browseName: `${name}${i}`,
        dataType: "Double",
        value: { dataType: opcua.DataType.Double, value: i },
      });
    }
    const cyclic = namespace.addFolder(folder, { browseName: `${name}-back` });
    cyclic.addReference({ referenceType: "Organizes", nodeId: folder.nodeId });
    return { folder: folder.nodeId.toString(), cyclic: cyclic.nodeId.toString() };
  }

  set(
    address: string,
    dataType: opcua.DataType,
    value: unknown,
    timeMs: number = Math.floor(realClock.nowUs() / 1000),
    statusCode: opcua.StatusCode = opcua.StatusCodes.Good,
    arrayType?: number,
  ): void {
    const variant = new opcua.Variant({
      dataType,
      value,
      arrayType: arrayType === undefined ? opcua.VariantArrayType.Scalar : opcua.VariantArrayType.Array,
    });
    // biome-ignore lint/style/noRestrictedGlobals: the library takes a Date.
    this.variable(address).setValueFromSource(variant, statusCode, new Date(timeMs));
  }

  variable(address: string): Variable {
    const variable = this.#variables.get(address);
    if (variable === undefined) throw new Error(`There is no ${address}.`);
    return variable;
  }

  remove(address: string): void {
    this.space.deleteNode(this.variable(address));
    this.#variables.delete(address);
  }

  /** Forgets all sessions, and keeps their subscriptions. */
  forgetSessions(): void {
    const { engine } = this.server;
    for (const session of engine.getSessions()) engine.closeSession(session.authenticationToken, false, "Terminated");
  }

  async stop(): Promise<void> {
    await this.server.shutdown(0);
  }
}
