import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrowseItem, ConnectionError } from "@lineshaft/contract/ports";
import { DataType, StatusCodes } from "node-opcua-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CertificateFolder } from "./certificates.ts";
import { loadOpcua } from "./library.ts";
import { Bench } from "./test/bench.ts";
import { serverCertificate, TestServer, testUser } from "./test/server.ts";

const folder = mkdtempSync(join(tmpdir(), "opcua-data-"));
const benches: Bench[] = [];
let server: TestServer;
const open = async (more?: Record<string, unknown>, url = server.url): Promise<Bench> => {
  const bench = await Bench.make(url, folder, more);
  benches.push(bench);
  return bench;
};
const reading = async (tags: Parameters<Bench["read"]>[0], more?: Record<string, unknown>): Promise<Bench> => {
  const bench = await open(more);
  await bench.connect();
  bench.read(tags);
  return bench;
};
const failure = async (work: Promise<unknown>): Promise<ConnectionError> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
};

beforeAll(async () => {
  server = await TestServer.start({ folder });
});
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("Values over an encrypted channel", () => {
  test("each type arrives exactly, with its name and unit", async () => {
    const cases: [DataType, unknown, unknown, number?][] = [
      [DataType.Boolean, true, true],
      [DataType.SByte, -5, -5],
      [DataType.UInt32, 4294967295, 4294967295],
      [DataType.Int64, [0x00200000, 1], 2n ** 53n + 1n],
      [DataType.UInt64, [0xffffffff, 0xfffffffe], "18446744073709551614"],
      [DataType.Float, Math.fround(1.1), Math.fround(1.1)],
      [DataType.Double, 1 / 3, 1 / 3],
      [DataType.String, "Grüße", "Grüße"],
      [DataType.DateTime, new Date(1_700_000_000_123), 1_700_000_000_123_000],
      [DataType.ByteString, Buffer.from([0, 255]), new Uint8Array([0, 255])],
      [DataType.LocalizedText, { text: "läuft", locale: "de" }, "läuft"],
      [DataType.Double, new Float64Array([1, 2, 3]), "[1,2,3]", 1],
      [DataType.String, ["a", "b"], '["a","b"]', 1],
    ];
    const tags = cases.map(([type, value, , rank], i) => server.add(`type${i}`, type, value, { arrayType: rank }));
    const bench = await reading(tags);
    for (const [i, [type, , expected, rank]] of cases.entries()) {
      await bench.until(`a row of ${DataType[type]}`, () => bench.values(tags[i]).length > 0);
      expect(bench.values(tags[i])[0], DataType[type]).toEqual(expected);
      const told = bench.sink.batches
        .map((batch) => batch.properties?.get(tags[i]))
        .find((found) => found !== undefined);
      expect(told?.dataType).toBe(DataType[type] + (rank === undefined ? "" : "[]"));
    }
    expect(bench.sink.breaches).toEqual([]);
  });

  test("the unit comes as UCUM, from the property EngineeringUnits", async () => {
    const { address, structure } = server.addAnalog("temperature", "CEL");
    const bench = await reading([address, structure]);
    await bench.until("rows", () => bench.sink.rows.length >= 2);
    const told = bench.sink.batches.map((batch) => batch.properties?.get(address)).find((found) => found !== undefined);
    expect(told).toMatchObject({ unit: "Cel", dataType: "Double" });
    // A structure: the EUInformation itself.
    expect(JSON.parse(String(bench.values(structure)[0]))).toMatchObject({ displayName: "°C", unitId: 4408652 });
  });

  test("one element of an array is a number of its own", async () => {
    const tag = server.add("profile", DataType.Double, new Float64Array([1, 2, 3]), { arrayType: 1 });
    const bench = await reading([{ address: tag, options: { indexRange: "1" } }]);
    await bench.until("the element", () => bench.values(tag).includes(2));
  });

  test("uncertain and bad come with their codes and values", async () => {
    const tag = server.add("level", DataType.Double, 1);
    const bench = await reading([tag]);
    await bench.until("the first", () => bench.values(tag).length > 0);
    server.set(tag, DataType.Double, 2, undefined, StatusCodes.UncertainLastUsableValue);
    await bench.until("uncertain", () => bench.sink.rows.some((row) => row.status === 0x40900000 && row.value === 2));
    server.set(tag, DataType.Double, 3, undefined, StatusCodes.BadDeviceFailure);
    await bench.until("bad", () => bench.sink.rows.some((row) => row.status === 0x808b0000));
  });

  test("a queue that overflowed says so in the row's status and in a gap record (F4)", async () => {
    const tag = server.add("fast", DataType.Int32, 0);
    const bench = await reading([tag], { queueSize: 2, publishingMs: 400 });
    await bench.until("the first", () => bench.values(tag).length > 0);
    for (let i = 1; i <= 20; i++) server.set(tag, DataType.Int32, i);
    await bench.until("a row with the overflow bit", () =>
      bench.sink.rows.some((row) => (row.status & 0x480) === 0x480),
    );
    await bench.until("the gap", () => bench.sink.gaps.length > 0);
    expect(bench.sink.gaps[0].reason).toContain(tag);
    expect(bench.connector.diagnose()).toMatchObject({ overflows: 1 });
  });

  test("addresses that the server does not know are bad, one by one, and no harm to 1,500 others", async () => {
    const tags = Array.from({ length: 1_500 }, (_, i) => server.add(`many${i}`, DataType.Int32, i));
    const start = performance.now();
    const bench = await reading([...tags, "ns=1;s=unknown", "nonsense", "nsu=urn:nowhere;i=1"]);
    await bench.until("all", () => new Set(bench.sink.rows.map((row) => row.tag)).size === 1_503, 20_000);
    const ms = performance.now() - start;
    const bad = bench.sink.rows.filter((row) => row.status !== 0).map((row) => [row.tag, row.status.toString(16)]);
    expect(bad).toEqual([
      ["ns=1;s=unknown", "80340000"],
      ["nonsense", "80330000"],
      ["nsu=urn:nowhere;i=1", "80330000"],
    ]);
    expect(bench.connector.diagnose()).toMatchObject({ tags: 1_503, tagsRefused: 3 });
    console.log(`1,500 items subscribed, described and received in ${ms.toFixed(0)} ms`);
  });
});

describe("Browsing", () => {
  const children = async (bench: Bench, address: string): Promise<BrowseItem[]> => {
    const found: BrowseItem[] = [];
    for await (const item of bench.connector.browse?.(address, new AbortController().signal) ?? []) found.push(item);
    return found;
  };

  test("many children come over continuation points; a cycle is one child", async () => {
    const { folder: address, cyclic } = server.addFolder("line", 1_200);
    const bench = await open();
    await bench.connect();
    const found = await children(bench, address);
    expect(found.length).toBe(1_201);
    expect(new Set(found.map((item) => item.address)).size).toBe(1_201);
    // A server keeps a few continuation points only: leaving early many times must not use them up.
    for (let i = 0; i < 15; i++)
      for await (const _ of bench.connector.browse?.(address, new AbortController().signal) ?? []) break;
    expect(found[0]).toMatchObject({ readable: true, expandable: false, dataType: "Double" });
    // The folder is its own grandchild: each level is asked for by itself, so that nothing runs away.
    expect((await children(bench, cyclic)).map((item) => item.address)).toEqual([address]);
    expect((await failure(children(bench, "ns=1;s=unknown"))).fault).toBe("protocol");
    expect((await failure(children(bench, "rubbish"))).fault).toBe("misconfigured");
  });
});

describe("Certificates and identities", () => {
  test("an unknown server is refused and kept, and connects once a person trusts it (A43)", async () => {
    const bench = await open();
    rmSync(join(bench.stateDir, "pki", "trusted"), { recursive: true });
    const error = await failure(bench.connect());
    expect(error.fault).toBe("untrusted");
    expect(error.technical).toMatch(
      /^BadCertificateUntrusted: thumbprint [0-9A-F]{64} \(SHA-1 [0-9A-F]{40}\), subject CN=Test server, valid /,
    );
    const certificates = new CertificateFolder(bench.stateDir);
    const [rejected] = (await certificates.list()).rejected;
    expect(await certificates.trust("00")).toBe(null);
    expect(await certificates.trust(rejected.thumbprintSha1)).toEqual(rejected);
    await bench.connect();
    expect(bench.connector.diagnose()).toMatchObject({
      securityPolicy: "Aes256_Sha256_RsaPss",
      securityMode: "signAndEncrypt",
      certificates: [{ of: "own" }, { of: "peer", thumbprint: rejected.thumbprint, validToUs: rejected.validToUs }],
    });
  });

  test("a server with a certificate that is expired, of another application, or weak is refused though trusted", async () => {
    const opcua = await loadOpcua();
    const { keyPair, uri } = await new CertificateFolder(join(folder, "client")).own(opcua);
    const certificates = new CertificateFolder(mkdtempSync(join(folder, "state-")));
    const der = keyPair.getCertificate();
    const at = (years: number) => ({
      ...bench.context.clock,
      nowUs: () => bench.context.clock.nowUs() + years * 3.2e13,
    });
    const bench = await open();
    const code = async (work: Promise<unknown>) => (await failure(work)).technical.split(":")[0];
    expect(await code(certificates.verify(der, "urn:other", at(0)))).toBe("BadCertificateUriInvalid");
    expect(await code(certificates.verify(der, uri, at(6)))).toBe("BadCertificateTimeInvalid");
    expect(await code(certificates.verify(der, uri, at(-1)))).toBe("BadCertificateTimeInvalid");
    expect(await code(certificates.verify(der, uri, at(0)))).toBe("BadCertificateUntrusted");
    expect(await code(certificates.verify(new Uint8Array([1, 2, 3]), uri, at(0)))).toBe("BadCertificateInvalid");
  });

  test("F37: a certificate of ours that is renewed serves from the next channel on, and what runs goes on", async () => {
    const bench = await reading(["i=2258"]);
    await bench.until("the server's clock", () => bench.values("i=2258").length > 0);
    const serving = () => (bench.connector.diagnose().certificates as { thumbprint: string }[])[0].thumbprint;
    const before = serving();
    const { certificateFile, privateKeyFile } = await serverCertificate(
      join(folder, "renewed"),
      "urn:lineshaft:renewed",
    );
    const own = join(bench.stateDir, "pki", "own");
    cpSync(privateKeyFile, join(own, "private-key.pem"));
    cpSync(certificateFile, join(own, "certificate.pem"));
    const seen = bench.values("i=2258").length;
    await bench.until("values go on", () => bench.values("i=2258").length > seen);
    expect(serving()).toBe(before);
    await bench.connect();
    expect(serving()).not.toBe(before);
    // A key of another certificate is found before anything is dialled.
    cpSync(join(folder, "server-key.pem"), join(own, "private-key.pem"));
    writeFileSync(join(own, "certificate.pem"), readFileSync(certificateFile));
    expect(await failure(bench.connect())).toMatchObject({ fault: "misconfigured" });
  });

  test("a user is known by a certificate of his own", async () => {
    const own = join(folder, "client", "pki", "own");
    const pem = (name: string): string => readFileSync(join(own, name), "utf8");
    const bench = await open({ identity: { kind: "certificate", certificate: "cert", privateKey: "key" } });
    bench.secrets.set("cert", pem("certificate.pem")).set("key", pem("private-key.pem"));
    await bench.connect();
    expect(bench.connector.diagnose()).toMatchObject({ connected: true });
  });

  test("a server that does not trust us says so, and what to do there", async () => {
    const strict = await TestServer.start({ folder, acceptClients: false });
    const bench = await open({}, strict.url);
    const error = await failure(bench.connect());
    await strict.stop();
    expect(error.fault, error.technical).toBe("untrusted");
    expect(error.hint).toMatch(/list of clients/);
  });

  test("close ends a connect and a read that are under way", async () => {
    const bench = await open();
    const connecting = failure(bench.connect());
    await bench.connector.close();
    expect((await connecting).fault).toBe("lost");
    await bench.connect();
    bench.read([server.add("x")]);
    await bench.until("a row", () => bench.sink.rows.length > 0);
    await bench.connector.close();
    expect(await bench.ended).toMatchObject({ fault: "lost" });
    expect(bench.connector.diagnose()).toMatchObject({ connected: false });
  });

  test("without security only as anonymous and with consent, and never a password; it says so once (A47)", async () => {
    const bench = await open({ securityPolicy: "none", allowInsecure: true, identity: { kind: "anonymous" } });
    await bench.connect();
    await bench.connect();
    expect(bench.connector.diagnose()).toMatchObject({ securityPolicy: "None" });
    expect(bench.logged.filter((text) => /not secured/.test(text)).length).toBe(1);
    const user = { kind: "user", userName: testUser.name, password: "pw" };
    const open2 = await open({ securityPolicy: "none", allowInsecure: true, identity: user });
    expect((await failure(open2.connect())).technical).toMatch(/None/);
  });

  test("a secret that does not exist costs no attempt at the server", async () => {
    const bench = await open({ identity: { kind: "user", userName: "x", password: "nowhere" } });
    expect(await failure(bench.connect())).toMatchObject({ fault: "misconfigured" });
  });
});

describe("Peers that are no OPC UA servers", () => {
  const peers: Server[] = [];
  const peer = async (onConnect: (socket: Socket) => void): Promise<string> => {
    const tcp = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      onConnect(socket);
    });
    peers.push(tcp);
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    return `opc.tcp://127.0.0.1:${(tcp.address() as AddressInfo).port}`;
  };
  afterEach(() => {
    for (const tcp of peers.splice(0)) tcp.close();
  });

  test("one that speaks something else is a protocol fault", async () => {
    const url = await peer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const bench = await open({}, url);
    expect((await failure(bench.connect())).fault).toBe("protocol");
  });

  test("one that announces endless buffers is closed (A40, A41)", async () => {
    let bytes = 0;
    const url = await peer((socket) => {
      socket.once("data", () => {
        // An ACK whose length is 4 GB, and then bytes without end.
        socket.write(Buffer.from("41434b46ffffffff00000000ffffffffffffffffffffffffffffffff", "hex"));
        const chunk = Buffer.alloc(65_536);
        const pump = (): void => {
          while (!socket.destroyed && bytes < 200_000_000) {
            bytes += chunk.length;
            if (!socket.write(chunk)) return;
          }
        };
        socket.on("drain", pump);
        pump();
      });
    });
    const bench = await open({ requestTimeoutMs: 2_000 }, url);
    const before = process.memoryUsage().rss;
    expect(["protocol", "unreachable"]).toContain((await failure(bench.connect())).fault);
    await sleep(100);
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  });
});
