import { type ASTNode, Environment } from "@marcbachmann/cel-js";

/** What a row of a mapping asks of a number. Throws where it has no answer, as when it divides by zero. */
export type Condition = (value: number) => boolean;

/** Why a text is no condition, and the character at which that shows, from 0 on. */
export class ConditionFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/**
 * The budget of a condition. Nothing in it can repeat, so that its size bounds its time: a hundred operations are some microseconds. CEL counts parentheses
 * as depth.
 */
const limits = { maxAstNodes: 100, maxDepth: 16, maxListElements: 50, maxMapEntries: 1, maxCallArguments: 1 };
/** Conditions of one mapping: a value that none applies to has asked all of them. */
export const conditionsMax = 50;

/** What a condition may speak of. */
export interface Scope {
  /** By name. */
  types: ReadonlyMap<string, ValueType>;
  /** Why there is no such name. */
  unknown(name: string): string;
}
export type ValueType = "double" | "int" | "bool" | "string";
export type Program = ReturnType<Environment["parse"]>;

const environment = new Environment({ limits }).registerVariable("value", "double");
const valueAlone: Scope = {
  types: new Map([["value", "double"]]),
  unknown: (name) => `There is no ${JSON.stringify(name)} here; the tag's value is \`value\`.`,
};
/** Unlike in the standard, int() has no overflow of its own; what is computed with its result has. */
const functions = new Set(["int", "double"]);

/**
 * A CEL expression over `value`, a double (a boolean is 0 or 1), ready to be asked. Numbers, comparisons, arithmetic, logic, `?:`, `in` a list and the
 * conversions int() and double() are possible; texts, times, fields, macros and regular expressions are not. Throws `ConditionFault`.
 */
export function compileCondition(text: string): Condition {
  const program = parsed(environment, text);
  allow(program.ast, valueAlone);
  demandBoolean(program);
  return (value) => program({ value }) === true;
}

/** The names of a text's variables, each once; none where it cannot be read. */
export function namesIn(text: string): string[] {
  try {
    return [...new Set([...nodesOf(parsed(environment, text).ast)].flatMap((n) => (n.op === "id" ? [n.args] : [])))];
  } catch {
    return [];
  }
}

/** The text with its variables declared, once it was found possible. Throws `ConditionFault`. */
export function checked(text: string, scope: Scope): Program {
  const { ast } = parsed(environment, text);
  allow(ast, scope);
  const declared = new Environment({ limits });
  for (const name of namesIn(text)) declared.registerVariable(name, scope.types.get(name) ?? "double");
  const program = parsed(declared, text);
  demandBoolean(program);
  return program;
}

function demandBoolean(program: Program): void {
  const { valid, type, error } = program.check();
  if (!valid) throw faultOf(error);
  if (type !== "bool") throw new ConditionFault(`It is a ${type}, but should be true or false.`, 0);
}

function parsed(of: Environment, text: string): Program {
  try {
    return of.parse(text);
  } catch (error) {
    throw faultOf(error);
  }
}

/** The library's own words, without its drawing of the place. */
function faultOf(error: unknown): ConditionFault {
  const { message, summary, range } = error as Error & { summary?: string; range?: { start: number } };
  return new ConditionFault(`${(summary ?? message).split("\n")[0].replace(/\.$/, "")}.`, range?.start ?? 0);
}

/** A node and all below it. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  const { args } = node as { args: unknown };
  for (const arg of Array.isArray(args) ? args.flat() : [args]) if (isNode(arg)) yield* nodesOf(arg);
}

const isNode = (arg: unknown): arg is ASTNode => typeof arg === "object" && arg !== null && "op" in arg;

/**
 * Refuses what has no bound, no place in a condition over values, or another answer tomorrow. `compared`: the node stands beside == or !=, or belongs to `in`; only
 * there texts are possible, since of a text nothing is kept but what it equals.
 */
function allow(node: ASTNode, scope: Scope, compared = false): void {
  const refuse = (what: string): never => {
    throw new ConditionFault(what, node.range.start);
  };
  const onlyCompared = "A text is compared with == and !=, or looked for with `in`; nothing else is possible.";
  switch (node.op) {
    case "value": {
      const texts = [...scope.types.values()].includes("string");
      if (typeof node.args === "string" && texts) {
        if (!compared) refuse(onlyCompared);
      } else if (!["number", "bigint", "boolean"].includes(typeof node.args))
        refuse("Only numbers, true and false stand in a condition.");
      return;
    }
    case "id": {
      const type = scope.types.get(node.args);
      if (type === undefined) refuse(scope.unknown(node.args));
      if (type === "string" && !compared) refuse(onlyCompared);
      return;
    }
    case "call": {
      const [name, args] = node.args;
      if (!functions.has(name)) refuse(`The function ${name}() is not possible here.`);
      for (const arg of args) allow(arg, scope);
      return;
    }
    case "in":
      allow(node.args[0], scope, true);
      if (node.args[1].op === "list") for (const item of node.args[1].args) allow(item, scope, true);
      else refuse("A list like [1.0, 2.0] has to stand behind `in`.");
      return;
    case "!_":
    case "-_":
      allow(node.args, scope);
      return;
    case "==":
    case "!=":
      for (const arg of node.args) allow(arg, scope, true);
      return;
    case "?:":
    case "||":
    case "&&":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      for (const arg of node.args) allow(arg, scope);
      return;
    case "rcall":
      refuse(`The function ${node.args[0]}() is not possible here.`);
      return;
    default:
      refuse("Fields, lists and maps are not possible here.");
  }
}
