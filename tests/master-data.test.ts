import type { Problem, Recorded, ShiftOccurrence, WriteReceipt } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

interface Wrote {
  item: Recorded<Record<string, unknown>>;
  receipt: WriteReceipt;
}
type Answer = Wrote & Problem & { items: Recorded<Record<string, unknown>>[]; cursor: string | null };

/** Materials, orders, calendars, reasons and annotations over HTTP, on a real server. */
describe("master data over REST", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let press: number;
  const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    rest.request<Answer>(method, `/api/v1${path}`, body, headers);

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, server.adminSecret as string);
    const made = await rest.request<{ item: { id: number } }>("POST", "/api/v1/equipment", {
      level: "workUnit",
      name: "Press",
    });
    press = made.body.item.id;
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
  });

  const material = { name: "Cap", unit: "1", conversions: [{ unit: "kg", factor: 0.25 }] };
  const order = (quantity: number) => ({
    material: "M-1",
    unit: "1",
    quantity,
    operations: [
      { id: "10", name: null, executions: [{ equipmentId: press, fromUs: 1_795_651_200_000_000, toUs: null }] },
    ],
  });

  test("a material is put, read with its ETag, changed by it, and removed", async () => {
    const created = await api("PUT", "/materials/M-1", material);
    expect(created).toMatchObject({ status: 200, body: { item: { id: "M-1", item: material } } });
    expect(created.body.receipt.lsn).toBeGreaterThan(0);
    const read = await api("GET", "/materials/M-1");
    expect(read.etag).toBe(created.etag);
    expect(await api("PUT", "/materials/M-1", material)).toMatchObject({
      status: 428,
      body: { code: "precondition_required" },
    });
    const changed = await api("PUT", "/materials/M-1", { ...material, name: "Lid" }, { "if-match": read.etag });
    expect(changed.status).toBe(200);
    expect(await api("PUT", "/materials/M-1", material, { "if-match": read.etag })).toMatchObject({ status: 412 });
    expect(await api("DELETE", "/materials/M-1", undefined, { "if-match": changed.etag })).toMatchObject({
      status: 200,
    });
    expect(await api("GET", "/materials/M-1")).toMatchObject({ status: 404 });
    const then = await api("GET", `/materials/M-1?asOf=${created.body.receipt.lsn}`);
    expect(then.body).toMatchObject({ item: { name: "Cap" } });
  });

  test("F39: an ERP sends changes of an order twice and in the wrong order, and deletes it while it runs", async () => {
    const planned = {
      material: "M-9",
      unit: "1",
      quantity: 100,
      operations: [{ id: "10", name: null, executions: [] }],
    };
    const first = await api("PUT", "/orders/E", planned);
    const second = await api("PUT", "/orders/E", { ...planned, quantity: 200 }, { "if-match": first.etag });
    // The same again, and one that was overtaken: both rest on what is no more.
    for (const quantity of [200, 150])
      expect(await api("PUT", "/orders/E", { ...planned, quantity }, { "if-match": first.etag })).toMatchObject({
        status: 412,
        body: { code: "revision_conflict" },
      });
    expect((await api("GET", "/orders/E")).body).toMatchObject({ item: { quantity: 200 } });

    const booking = (id: string, kind: string) =>
      api("POST", `/equipment/${press}/bookings`, { id, atUs: Date.now() * 1000, intent: { kind, order: "E" } });
    expect(await booking("erp-start", "startOrder")).toMatchObject({ status: 200 });
    expect(await api("PUT", "/orders/E", planned, { "if-match": second.etag })).toMatchObject({ status: 412 });
    const running = await api("GET", "/orders/E");
    // The ERP knows nothing of what was booked on it: that stays.
    const newer = await api("PUT", "/orders/E", { ...planned, quantity: 300 }, { "if-match": running.etag });
    expect(newer).toMatchObject({ status: 200, body: { item: { item: { quantity: 300 } } } });
    expect(newer.body.item.item.operations).toMatchObject([{ executions: [{ equipmentId: press, toUs: null }] }]);
    expect(await api("DELETE", "/orders/E", undefined, { "if-match": newer.etag })).toMatchObject({
      status: 409,
      body: { code: "still_in_use" },
    });
    expect(await booking("erp-finish", "finishOrder")).toMatchObject({ status: 200 });
    const finished = await api("GET", "/orders/E");
    expect(await api("DELETE", "/orders/E", undefined, { "if-match": finished.etag })).toMatchObject({ status: 200 });
    const then = await api("GET", `/orders/E?asOf=${newer.body.receipt.lsn}`);
    expect(then.body).toMatchObject({ item: { quantity: 300 } });
  });

  test("orders by equipment, time and page, as they are and as they were known", async () => {
    const first = await api("PUT", "/orders/A", order(500));
    await api("PUT", "/orders/B", order(10));
    await api("PUT", "/orders/A", order(600), { "if-match": first.etag });
    const list = async (query: string) => {
      const { status, body } = await api("GET", `/orders?${query}`);
      return status === 200 ? body.items.map(({ id, item }) => [id, item.quantity]) : body.code;
    };
    expect(await list(`equipmentId=${press}`)).toEqual([
      ["A", 600],
      ["B", 10],
    ]);
    expect(await list(`asOf=${first.body.receipt.lsn}`)).toEqual([["A", 500]]);
    expect(await list("from=2026-11-27T00:00:00Z&to=2026-11-28T00:00:00Z")).toEqual([
      ["A", 600],
      ["B", 10],
    ]);
    expect(await list("to=2026-11-25T00:00:00Z")).toEqual([]);
    expect(await list("from=yesterday")).toBe("time_invalid");
    const page = await api("GET", "/orders?limit=1");
    expect(page.body.items.map(({ id }) => id)).toEqual(["A"]);
    expect(await list(`limit=1&cursor=${encodeURIComponent(page.body.cursor as string)}`)).toEqual([["B", 10]]);
  });

  test("a calendar becomes shifts, over a change of the clock", async () => {
    const calendar = {
      name: "nights",
      timeZone: "Europe/Berlin",
      shifts: [
        {
          name: "Nacht",
          start: "22:00",
          end: "06:00",
          breaks: [{ start: "02:00", minutes: 30 }],
          productionDay: "end",
        },
      ],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Nacht", crew: "A" }]] },
      holidays: [],
      exceptions: [],
    };
    expect((await api("PUT", "/calendars/nights", calendar)).status).toBe(200);
    const assignment = { equipmentId: press, calendar: "nights", fromUs: 0, toUs: null };
    expect((await api("PUT", "/calendar-assignments/press", assignment)).status).toBe(200);
    const query = `equipmentId=${press}&from=2026-03-28T12:00:00Z&to=2026-03-29T12:00:00Z`;
    const { items } = await rest.get<{ items: ShiftOccurrence[] }>(`/api/v1/shifts?${query}`);
    expect(items.map((shift) => [shift.id, (shift.toUs - shift.fromUs) / 60e6, shift.resolved])).toEqual([
      ["nights/2026-03-29/Nacht", 420, [{ what: "break", local: "2026-03-29T02:00", rule: "movedForward" }]],
    ]);
    const twice = {
      ...calendar,
      shifts: [...calendar.shifts, { name: "x", start: "21:00", end: "23:00", breaks: [] }],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Nacht" }, { shift: "x" }]] },
    };
    expect(await api("PUT", "/calendars/twice", twice)).toMatchObject({
      status: 422,
      body: { code: "shifts_overlap" },
    });
  });

  test("what cannot be has a code of its own", async () => {
    const note = {
      equipmentId: press,
      kind: "reason",
      anchorUs: 5,
      fromUs: 0,
      toUs: 9,
      reason: 7_100_000,
      text: "Belt",
    };
    expect((await api("PUT", "/annotations/n1", note)).status).toBe(200);
    const reason = {
      number: 7_100_010,
      parent: 7_100_000,
      name: { en: "Belt", de: "Riemen" },
      itemState: null,
      operationMode: null,
      planned: null,
      loss: "breakdown",
    };
    expect((await api("PUT", "/reasons/7100010", reason)).status).toBe(200);
    const ideal = { equipmentId: press, material: null, cycleUs: 1e6, unitsPerCycle: 1, fromUs: 0, toUs: null };
    expect((await api("PUT", "/ideal-cycle-times/i", ideal)).status).toBe(200);
    const codes: [string, unknown, string][] = [
      ["/orders/C", order(-1), "quantity_negative"],
      ["/ideal-cycle-times/j", { ...ideal, cycleUs: 0 }, "cycle_time_invalid"],
      ["/ideal-cycle-times/j", { ...ideal, equipmentId: 4711 }, "equipment_unknown"],
      ["/reasons/7100010", { ...reason, number: 1 }, "precondition_required"],
      ["/reasons/7100000", { ...reason, number: 7_100_000, parent: 7_100_010 }, "reason_circular"],
      ["/annotations/n2", { ...note, reason: 3 }, "reference_unknown"],
      ["/materials/x", { ...material, color: "red" }, "request_invalid"],
    ];
    for (const [path, body, code] of codes) expect((await api("PUT", path, body)).body.code, path).toBe(code);
  });
});
