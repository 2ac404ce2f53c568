import { crc32 } from "node:zlib";
import { recordType } from "@lineshaft/contract/ports";
import { SimDisk } from "@lineshaft/testkit";
import { describe, expect, test } from "vitest";
import { append, openOn, payloadOf, readAll, tinyReader } from "./testing.ts";

const lengths = [5, 0, 64, 200, 31, 8, 100];

/** A small log: one segment, a frame for each length after the generation record. `orderly`: was it closed? */
async function sample(orderly: boolean): Promise<{ name: string; bytes: Buffer; closed: Buffer | null }> {
  const disk = new SimDisk();
  const { log } = await openOn(disk);
  for (let i = 0; i < lengths.length; i++) await append(log, payloadOf(i, lengths[i])).durable;
  if (orderly) await log.close();
  const name = (await disk.list("/log")).find((n) => n.endsWith(".log")) ?? "";
  return {
    name,
    bytes: Buffer.from(disk.bytesOf(`/log/${name}`)),
    closed: orderly ? Buffer.from(disk.bytesOf("/log/closed.json")) : null,
  };
}

async function diskWith(name: string, bytes: Uint8Array, closed: Buffer | null = null): Promise<SimDisk> {
  const disk = new SimDisk();
  await disk.makeDir("/log");
  disk.place(`/log/${name}`, bytes);
  if (closed !== null) disk.place("/log/closed.json", closed);
  return disk;
}

describe("damage to segment files", () => {
  test("F12 the newest segment cut at every byte: all complete records are kept, and writing goes on", async () => {
    const { name, bytes } = await sample(false);
    for (let size = 0; size < bytes.length; size++) {
      const cut = bytes.subarray(0, size);
      const kept = tinyReader(cut);
      const disk = await diskWith(name, cut);
      const { log, codes, events } = await openOn(disk);
      const frames = kept.length === 0 ? [] : (await readAll(log)).slice(0, kept.length);
      expect(frames.map((f) => f.lsn)).toEqual(kept.map((k) => k.lsn));
      expect(frames.every((f, i) => Buffer.compare(f.payload, kept[i].payload) === 0)).toBe(true);
      const complete = size === (kept.at(-1)?.end ?? 0);
      expect(codes(), `cut at ${size}`).toEqual(complete ? [] : ["torn_tail"]);
      if (!complete) expect(events[0]).toMatchObject({ lastLsn: kept.at(-1)?.lsn ?? 0 });
      expect(log.status.quarantined).toEqual([]);
      const { lsn, durable } = append(log, payloadOf(99, 9));
      await durable;
      expect((await readAll(log)).at(-1)?.lsn).toBe(lsn);
      await log.close();
    }
  });

  test.each([0, 7])(
    "F13 bit %i of each 64th byte flipped: that record is named and set aside, all others are served",
    async (bit) => {
      const { name, bytes, closed } = await sample(true);
      const whole = tinyReader(bytes);
      for (let offset = 0; offset < bytes.length; offset += 64) {
        const rotten = Buffer.from(bytes);
        rotten[offset] ^= 1 << bit;
        const hit = whole.find((f) => offset < f.end);
        const padding = hit !== undefined && offset >= hit.offset + 48 + hit.payload.length;
        const disk = await diskWith(name, rotten, closed);
        const { log, events } = await openOn(disk);
        const next = append(log, payloadOf(99, 9));
        await next.durable;
        const expected = whole.filter((f) => padding || f !== hit).map((f) => f.lsn);
        expect(
          (await readAll(log)).map((f) => f.lsn).filter((l) => l <= whole.length),
          `byte ${offset}`,
        ).toEqual(expected);
        if (!padding) {
          expect(log.status.quarantined).toMatchObject([{ fromLsn: hit?.lsn, toLsn: hit?.lsn, segment: name }]);
          expect(events).toMatchObject([{ code: "frame_quarantined", fromLsn: hit?.lsn, toLsn: hit?.lsn }]);
        }
        // The finding outlives a restart and is not told twice.
        await log.close();
        const again = await openOn(disk);
        expect((await readAll(again.log)).map((f) => f.lsn)).toEqual([...expected, next.lsn]);
        expect(again.log.status.quarantined.length).toBe(padding ? 0 : 1);
        expect(again.codes()).toEqual([]);
        await again.log.close();
      }
    },
  );

  test("F13 rot in a sealed segment is found by the first reader, its bytes are kept beside it", async () => {
    const disk = new SimDisk();
    const first = await openOn(disk, { segmentBytes: 600 });
    const lsns: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { lsn, durable } = append(first.log, payloadOf(i, 100));
      await durable;
      lsns.push(lsn);
    }
    await first.log.close();
    const name = (await disk.list("/log")).filter((n) => n.endsWith(".log")).sort()[1];
    const [a, b] = tinyReader(disk.bytesOf(`/log/${name}`));
    disk.flipBit(`/log/${name}`, a.offset + 60);
    disk.flipBit(`/log/${name}`, b.offset + 60);
    const { log, events } = await openOn(disk);
    const served = (await readAll(log)).filter((f) => f.type === recordType.points).map((f) => f.lsn);
    expect(served).toEqual(lsns.filter((l) => l !== a.lsn && l !== b.lsn));
    expect(events).toMatchObject([{ code: "frame_quarantined", fromLsn: a.lsn, toLsn: b.lsn, segment: name }]);
    const copy = (await disk.list("/log")).find((n) => n.endsWith(".quarantine")) ?? "";
    expect(disk.bytesOf(`/log/${copy}`).equals(disk.bytesOf(`/log/${name}`).subarray(a.offset, b.end))).toBe(true);
    await log.close();
  });

  test("a payload that holds a whole frame is never taken for one", async () => {
    const { bytes } = await sample(false);
    const disk = new SimDisk();
    const { log } = await openOn(disk);
    await append(log, bytes).durable;
    await append(log, payloadOf(1, 10)).durable;
    await log.close();
    const name = (await disk.list("/log")).find((n) => n.endsWith(".log")) ?? "";
    const [, host] = tinyReader(disk.bytesOf(`/log/${name}`));
    disk.flipBit(`/log/${name}`, host.offset + 9);
    const again = await openOn(disk);
    expect((await readAll(again.log)).map((f) => f.lsn)).toEqual([1, 3]);
    await again.log.close();
  });

  test("F14 marker files missing, emptied or garbled: nothing is lost, strangers' files are left alone", async () => {
    for (const file of ["format.json", "closed.json"]) {
      for (const harm of ["remove", "empty", "garble"] as const) {
        const disk = new SimDisk();
        const first = await openOn(disk, { segmentBytes: 400 });
        for (let i = 0; i < 10; i++) await append(first.log, payloadOf(i, 100)).durable;
        await first.log.close();
        if (harm === "remove") await disk.remove(`/log/${file}`);
        else disk.place(`/log/${file}`, harm === "empty" ? Buffer.alloc(0) : Buffer.alloc(40));
        disk.place("/log/notes.txt", Buffer.from("mine"));
        const { log, codes } = await openOn(disk);
        expect((await readAll(log)).length, `${harm} ${file}`).toBe(11);
        expect(codes()).toEqual(["orphan_found"]);
        expect(await disk.list("/log")).toContain("notes.txt");
        await log.close();
      }
    }
  });

  test("F14 a missing or renamed segment: its range is named, the rest is served, the file stays", async () => {
    const disk = new SimDisk();
    const first = await openOn(disk, { segmentBytes: 400 });
    for (let i = 0; i < 10; i++) await append(first.log, payloadOf(i, 100)).durable;
    await first.log.close();
    const names = (await disk.list("/log")).filter((n) => n.endsWith(".log")).sort();
    const lost = tinyReader(disk.bytesOf(`/log/${names[2]}`)).map((f) => f.lsn);
    await disk.rename(`/log/${names[2]}`, "/log/renamed.log");
    const { log, events } = await openOn(disk);
    expect((await readAll(log)).map((f) => f.lsn)).toEqual(
      Array.from({ length: 11 }, (_, i) => i + 1).filter((l) => !lost.includes(l)),
    );
    expect(events).toMatchObject([
      { code: "orphan_found", name: "renamed.log" },
      { code: "records_missing", fromLsn: lost[0], toLsn: lost.at(-1) },
    ]);
    expect(log.status.quarantined).toMatchObject([{ fromLsn: lost[0], toLsn: lost.at(-1) }]);
    expect(await disk.list("/log")).toContain("renamed.log");
    await log.close();
  });

  test("data of a newer version are refused and not touched", async () => {
    const { name, bytes } = await sample(false);
    const disk = await diskWith(name, bytes);
    disk.place("/log/format.json", Buffer.from('{"version":2}'));
    await expect(openOn(disk)).rejects.toMatchObject({ code: "data_dir_version" });
    expect(disk.bytesOf(`/log/${name}`).equals(bytes)).toBe(true);

    // Also where the marker is missing: a whole frame of another version is not damage.
    const newer = Buffer.from(bytes);
    const { offset, payload } = tinyReader(bytes)[3];
    newer[offset + 27] = 2;
    const covered = newer.subarray(offset + 8, offset + 48 + payload.length);
    newer.writeUInt32LE(crc32(covered, payload.length), offset + 4);
    const unmarked = await diskWith(name, newer);
    await expect(openOn(unmarked)).rejects.toMatchObject({ code: "data_dir_version" });
    expect(unmarked.bytesOf(`/log/${name}`).equals(newer)).toBe(true);
  });
});
