import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

test("admits the burst, then the rate, and says how long to wait", () => {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ clock, ratePerSecond: 100, burst: 200 });
  expect(limiter.take("a", 150)).toBe(0);
  expect(limiter.take("a", 100)).toBeCloseTo(0.5);
  expect(limiter.take("a", 50)).toBe(0);
  expect(limiter.wait("a", 100)).toBeCloseTo(1);
  expect(limiter.take("b", 200)).toBe(0);
  clock.advanceMs(1000);
  expect(limiter.take("a", 100)).toBe(0);
});

test("an amount beyond the burst passes from a full bucket and is paid back", () => {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ clock, ratePerSecond: 100, burst: 200 });
  expect(limiter.take("a", 1000)).toBe(0);
  expect(limiter.take("a", 1)).toBeCloseTo(8.01);
  clock.advanceMs(8010);
  expect(limiter.take("a", 1)).toBe(0);
});

test("memory is bounded: the key unused for longest is forgotten", () => {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ clock, ratePerSecond: 1, burst: 1, maxKeys: 3 });
  for (const key of ["a", "b", "a", "c", "d"]) limiter.take(key, 1);
  expect(limiter.wait("a", 1)).toBe(1);
  expect(limiter.wait("b", 1)).toBe(0);
});

test("never admits more than burst + rate × time + one amount", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ms: fc.nat(2000), amount: fc.integer({ min: 1, max: 500 }) }), { maxLength: 100 }),
      (steps) => {
        const clock = new FakeClock();
        const limiter = createRateLimiter({ clock, ratePerSecond: 100, burst: 200 });
        let admitted = 0;
        for (const { ms, amount } of steps) {
          clock.advanceMs(ms);
          if (limiter.take("a", amount) === 0) admitted += amount;
        }
        expect(admitted).toBeLessThanOrEqual(200 + clock.monotonicMs() * 0.1 + 500);
      },
    ),
  );
});
