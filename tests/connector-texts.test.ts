// What connectors say to people is read out of their sources and their schemas: every sentence and every field has its German words.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectorKinds } from "@lineshaft/connectivity";
import ts from "typescript";
import { expect, it } from "vitest";
import { germanOf } from "../ui/shell/connections/connector-text.ts";
import type { Schema } from "../ui/shell/machines/schema.ts";
import { failuresDe } from "../ui/shell/messages/failures-de.ts";
import { descriptionsDe, labelsDe } from "../ui/shell/messages/fields-de.ts";

const root = join(import.meta.dirname, "../integration/connectivity");
/** Put together from sentences that are looked at by themselves, or from the words of a library. */
const composed = new Set([
  "X0 X1.",
  "X0: X1.",
  "X0: X1",
  "X0 (X1)",
  "null",
  "X0 certificate is valid for X1 more days.",
]);

/** Sentences that a node can be, with what is filled in as `{…}`; none where that is decided elsewhere. */
function textsOf(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return node.templateSpans.reduce(
      (texts, { expression, literal }) => {
        // What is chosen from a few texts is part of the sentence.
        const inner = ts.isConditionalExpression(expression) ? textsOf(expression) : [];
        const parts = inner.length > 0 ? inner : ["{…}"];
        return texts.flatMap((text) => parts.map((part) => text + part + literal.text));
      },
      [node.head.text],
    );
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node))
    return textsOf(node.left).flatMap((left) => textsOf(node.right).map((right) => left + right));
  const declared = ts.isIdentifier(node) ? declarationOf(node) : null;
  return declared === null ? [] : textsOf(declared);
}

/** The nearest `const` of that name around. */
function declarationOf(name: ts.Identifier): ts.Expression | null {
  for (let at: ts.Node = name.parent; !ts.isSourceFile(at); at = at.parent)
    if (ts.isBlock(at) || ts.isCaseClause(at) || ts.isDefaultClause(at))
      for (const statement of at.statements)
        if (ts.isVariableStatement(statement))
          for (const one of statement.declarationList.declarations)
            if (one.name.getText() === name.text && one.initializer !== undefined) return one.initializer;
  return null;
}

function saidIn(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true);
  const said: string[] = [];
  const take = (...nodes: (ts.Expression | undefined)[]): void => {
    for (const node of nodes) if (node !== undefined) said.push(...textsOf(node));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === "ConnectionError")
      take(node.arguments?.[1], node.arguments?.[2]);
    if (ts.isCallExpression(node) && ["misconfigured", "untrusted"].includes(node.expression.getText()))
      take(node.arguments[0], node.expression.getText() === "misconfigured" ? node.arguments[1] : undefined);
    if (ts.isObjectLiteralExpression(node)) {
      const part = (name: string): ts.Expression | undefined => {
        const found = node.properties.find((one) => one.name?.getText() === name);
        if (found === undefined) return undefined;
        return ts.isPropertyAssignment(found)
          ? found.initializer
          : ts.isShorthandPropertyAssignment(found)
            ? found.name
            : undefined;
      };
      // A step of a check, and a rule for the words of a library.
      if (part("ok") !== undefined) take(part("detail"), part("hint"));
      if (part("pattern") !== undefined && part("fault") !== undefined) {
        take(part("hint"));
        const message = part("message");
        if (message !== undefined) said.push(...textsOf(message).map((text) => `{…}: ${text}`));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return said;
}

it("every sentence of a connection has German words, with all that it fills in", () => {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/\.(test|fixture)\.ts$|(^|\/)(test|testing)(\/|\.ts)/.test(file),
  );
  const said = [...new Set(files.flatMap(saidIn))].map((text) => {
    let n = 0;
    return text.replaceAll("{…}", () => `X${n++}`);
  });
  expect(said.length).toBeGreaterThan(120);
  const missing = said.filter((text) => {
    if (composed.has(text)) return false;
    const german = germanOf(text);
    return german === null || (text.match(/X\d/g) ?? []).some((part) => !german.includes(part));
  });
  expect(missing).toEqual([]);
});

it("fills in what a sentence says of its device, and leaves alone what it does not know", () => {
  expect(germanOf("10.0.0.7:502 takes the connection, but unit 3 does not answer.")).toBe(
    "10.0.0.7:502 nimmt die Verbindung an, aber Unit 3 antwortet nicht.",
  );
  expect(germanOf("press-12:1883 cannot be reached. (ECONNREFUSED)")).toBe(
    "press-12:1883 ist nicht erreichbar. (ECONNREFUSED)",
  );
  expect(germanOf("Something quite different happened")).toBeNull();
  // Put together by the connector; the parts are known.
  expect(germanOf("Our certificate is valid for 12 more days.")).toBe("Unser Zertifikat gilt noch 12 Tage.");
  for (const [english, german] of Object.entries(failuresDe)) {
    const places = (text: string) => [...new Set(text.match(/\{\d\}/g) ?? [])].sort();
    expect(places(german), english).toEqual(places(english));
  }
});

it("every field of every connector has a name and a description in both languages", async () => {
  const missing: string[] = [];
  const walk = (kind: string, { properties = {}, items, anyOf = [] }: Schema): void => {
    for (const [name, field] of Object.entries(properties)) {
      const at = `${kind} ${name}`;
      const { description, const: constant } = field;
      if (constant === undefined) {
        if (!(name in labelsDe)) missing.push(`${at}: no German name`);
        if (description === undefined) missing.push(`${at}: no description`);
        else if (!(description in descriptionsDe)) missing.push(`${at}: no German for ${JSON.stringify(description)}`);
      }
      walk(at, field);
    }
    if (items !== undefined) walk(kind, items);
    for (const one of anyOf) walk(kind, one);
  };
  for (const [kind, load] of Object.entries(connectorKinds)) {
    const type = await load();
    walk(kind, type.config as Schema);
    walk(`${kind} tag`, (type.tagOptions ?? {}) as Schema);
  }
  expect(missing).toEqual([]);
});
