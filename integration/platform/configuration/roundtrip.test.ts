import { anyConfiguration } from "@lineshaft/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonical,
  diffConfigurations,
  readConfiguration,
  renderConfiguration,
  rewriteConfiguration,
} from "./index.ts";

const read = (text: string) => readConfiguration([{ file: "plant.yaml", text }], { env: () => undefined });

describe("text and configuration", () => {
  test("there is one zero, however it is written", () => {
    const plant = (offset: number) => ({
      version: 1 as const,
      connections: [{ name: "press", kind: "modbus", config: { host: "10.0.0.7", offset } }],
    });
    expect(renderConfiguration(plant(-0))).toBe(renderConfiguration(plant(0)));
    const written = renderConfiguration(plant(0)).replace("offset: 0", "offset: -0");
    expect(read(written).configuration?.connections?.[0].config?.offset).toBe(0);
    expect(read(rewriteConfiguration(written, plant(0))).configuration).toEqual(canonical(plant(0)));
  });

  test("what was rendered reads back as the same, and renders as the same text", () => {
    fc.assert(
      fc.property(anyConfiguration, (configuration) => {
        const text = renderConfiguration(configuration);
        const { configuration: back, problems } = read(text);
        expect(problems).toEqual([]);
        expect(back && canonical(back)).toEqual(canonical(JSON.parse(JSON.stringify(configuration))));
        expect(back && renderConfiguration(back)).toBe(text);
      }),
      { numRuns: 40 },
    );
  });

  test("between two configurations there are steps exactly when they differ, and a text rewritten for the other means it", () => {
    fc.assert(
      fc.property(anyConfiguration, anyConfiguration, (a, b) => {
        expect(diffConfigurations(a, a)).toEqual([]);
        const same = JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
        let steps: unknown[] = [];
        try {
          steps = diffConfigurations(a, b);
        } catch {
          // A level or a kind cannot change; that is a table of its own.
          steps = [null];
        }
        expect(steps.length > 0).toBe(!same || steps[0] === null);
        const text = `# first\n${renderConfiguration(a)}\n# last\n`;
        const rewritten = rewriteConfiguration(text, b);
        expect(rewriteConfiguration(text, a)).toBe(text);
        expect(rewritten).toMatch(/^# first\n[\s\S]*# last\n$/);
        const back = read(rewritten);
        expect(back.problems).toEqual([]);
        expect(back.configuration && canonical(back.configuration)).toEqual(canonical(JSON.parse(JSON.stringify(b))));
      }),
      { numRuns: 40 },
    );
  });
});
