import type { Rest } from "./rest.ts";

/** Its only alarm names the reason of the stop that it brings about. */
const guard = { value: 17, severity: 800, cause: 7_100_000, text: { en: "Guard door open", de: "Schutztür offen" } };

/** A press that tells nothing but a pulse for each good and each rejected part, over HTTP. */
export class TwoPulsePress {
  readonly rest: Rest;
  id = 0;
  /** When each part was made. */
  readonly good: number[] = [];
  readonly rejected: number[] = [];
  /** What it could not send yet. */
  #kept: { tag: string; time: number; value: number }[] = [];

  constructor(rest: Rest) {
    this.rest = rest;
  }

  /** The press in the model, worked around the clock, with an ideal cycle of one second whatever it makes. */
  async register(): Promise<void> {
    const { rest } = this;
    const pulse = { pulse: { idealCycleMs: 1000 } };
    const configuration = {
      version: 1,
      models: [
        {
          name: "press",
          version: "1.0.0",
          properties: [
            { name: "good", kind: "pulse", counts: "good", mapping: pulse },
            { name: "reject", kind: "pulse", counts: "scrap", mapping: pulse },
            { name: "alarm", kind: "alarm", type: "int64", mapping: { alarm: { rows: [guard] } } },
          ],
        },
      ],
      equipment: [
        { path: "North", level: "site" },
        { path: "North/Press 7", level: "workUnit", model: "press@1.0.0" },
      ],
      connections: [
        {
          name: "press-7",
          kind: "http",
          tags: ["good", "reject", "alarm"].map((address) => ({
            address,
            equipment: "North/Press 7",
            bind: [{ property: address }],
          })),
        },
      ],
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    await this.#put("/configuration", configuration, now.etag);
    const { items } = await rest.get<{ items: { id: number; level: string }[] }>("/api/v1/equipment?under=North");
    this.id = items.find(({ level }) => level === "workUnit")?.id as number;
    await this.#put("/calendars/always", {
      name: "always",
      timeZone: "Etc/UTC",
      shifts: [{ name: "Day", start: "00:00", end: "00:00", breaks: [] }],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
      holidays: [],
      exceptions: [],
    });
    const dated = { equipmentId: this.id, fromUs: 0, toUs: null };
    await this.#put("/calendar-assignments/press", { ...dated, calendar: "always" });
    await this.#put("/ideal-cycle-times/press", { ...dated, material: null, cycleUs: 1e6, unitsPerCycle: 1 });
    await this.#put("/materials/CAP-28", { name: "Cap 28 mm", unit: "1", conversions: [] });
  }

  /** An order from the ERP: it says nothing of machines, unless it is planned here. */
  order(id: string, quantity: number, plannedUs: number | null): Promise<void> {
    const planned = plannedUs === null ? {} : { planned: [{ equipmentId: this.id, fromUs: plannedUs, toUs: null }] };
    return this.#put(`/orders/${id}`, {
      material: "CAP-28",
      unit: "1",
      quantity,
      operations: [{ id: "0010", name: "Press", executions: [], ...planned }],
    });
  }

  /** Parts from one time to another, one a second; each twentieth is rejected. */
  makes(fromUs: number, toUs: number): void {
    for (let time = fromUs; time < toUs; time += 1e6) {
      const isGood = (this.good.length + this.rejected.length) % 20 !== 19;
      (isGood ? this.good : this.rejected).push(time);
      this.#kept.push({ tag: isGood ? "good" : "reject", time, value: 1 });
    }
  }

  /** Its controller raises the alarm of the guard, or takes it back. */
  alarms(time: number, active: boolean): void {
    this.#kept.push({ tag: "alarm", time, value: active ? guard.value : 0 });
  }

  /** Sends what it kept. A server that is away does not make it lose anything. */
  async send(): Promise<void> {
    const sent = this.#kept;
    if (sent.length === 0) return;
    const { status, body } = await this.rest.ingest("press-7", sent);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    this.#kept = this.#kept.slice(sent.length);
  }

  async #put(path: string, item: object, etag?: string): Promise<void> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
    const { status, body } = await this.rest.request("PUT", `/api/v1${path}`, item, headers);
    if (status !== 200) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`);
  }
}
