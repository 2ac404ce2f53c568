import { dayUs } from "@lineshaft/contract/api";
import type { RestsOn } from "@lineshaft/contract/ports";
import { describe, expect, test } from "vitest";
import { CertificateWatch, restsOn } from "./certificates.ts";

const endUs = 1_900_000_000 * 1_000_000;
const certificate = (thumbprint = "AA"): RestsOn => ({ of: "peer", thumbprint, subject: "CN=Press", validToUs: endUs });
const daysBefore = (days: number): number => endUs - days * dayUs;

describe("CertificateWatch", () => {
  test("F37: speaks at 30, 14, 3 and 1 days and after the end, once each", () => {
    const watch = new CertificateWatch();
    const said: number[] = [];
    for (let days = 40.5; days > -5; days--)
      if (watch.follow([certificate()], daysBefore(days)).length > 0) said.push(Math.floor(days));
    expect(said).toEqual([29, 13, 2, 0, -1]);
  });

  test("F37: says at once what is due when a connection comes late, and again for another certificate", () => {
    const watch = new CertificateWatch();
    expect(watch.follow([certificate()], daysBefore(2.5))).toEqual([
      "The peer's certificate (CN=Press) ends on 2030-03-17, in 2 days: renew it before.",
    ]);
    expect(watch.follow([certificate()], daysBefore(2.4))).toEqual([]);
    expect(watch.follow([certificate(), certificate("BB")], daysBefore(2.4))).toHaveLength(1);
    expect(watch.warnings(daysBefore(2.4))).toHaveLength(2);
    expect(watch.warnings(daysBefore(31))).toEqual([]);
    expect(watch.warnings(daysBefore(-1))[0]).toMatch(/ended on/);
  });

  test("a diagnosis without certificates has none", () => {
    expect(restsOn({})).toEqual([]);
    expect(restsOn({ certificates: "none" })).toEqual([]);
  });
});
