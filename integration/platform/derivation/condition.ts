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

const environment = new Environment({ limits }).registerVariable("value", "double");
/** Unlike in the standard, int() has no overflow of its own; what is computed with its result has. */
const functions = new Set(["int", "double"]);

/**
 * A CEL expression over `value`, a double (a boolean is 0 or 1), ready to be asked. Numbers, comparisons, arithmetic, logic, `?:`, `in` a list and the
 * conversions int() and double() are possible; texts, times, fields, macros and regular expressions are not. Throws `ConditionFault`.
 */
export function compileCondition(text: string): Condition {
  const program = parsed(text);
  allow(program.ast);
  const { valid, type, error } = program.check();
  if (!valid) throw faultOf(error);
  if (type !== "bool") throw new ConditionFault(`It is a ${type}, but should be true or false.`, 0);
  return (value) => program({ value }) === true;
}

function parsed(text: string): ReturnType<Environment["parse"]> {
  try {
    return environment.parse(text);
  } catch (error) {
    throw faultOf(error);
  }
}

/** The library's own words, without its drawing of the place. */
function faultOf(error: unknown): ConditionFault {
  const { message, summary, range } = error as Error & { summary?: string; range?: { start: number } };
  return new ConditionFault(`${(summary ?? message).split("\n")[0].replace(/\.$/, "")}.`, range?.start ?? 0);
}

/** Refuses what has no bound, no place in a condition over a number, or another answer tomorrow. */
function allow(node: ASTNode): void {
  const refuse = (what: string): never => {
    throw new ConditionFault(what, node.range.start);
  };
  switch (node.op) {
    case "value":
      if (!["number", "bigint", "boolean"].includes(typeof node.args))
        refuse("Only numbers, true and false stand in a condition.");
      return;
    case "id":
      if (node.args !== "value") refuse(`There is no ${JSON.stringify(node.args)} here; the tag's value is \`value\`.`);
      return;
    case "call": {
      const [name, args] = node.args;
      if (!functions.has(name)) refuse(`The function ${name}() is not possible here.`);
      for (const arg of args) allow(arg);
      return;
    }
    case "in":
      allow(node.args[0]);
      if (node.args[1].op === "list") for (const item of node.args[1].args) allow(item);
      else refuse("A list like [1.0, 2.0] has to stand behind `in`.");
      return;
    case "!_":
    case "-_":
      allow(node.args);
      return;
    case "?:":
    case "||":
    case "&&":
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      for (const arg of node.args) allow(arg);
      return;
    case "rcall":
      refuse(`The function ${node.args[0]}() is not possible here.`);
      return;
    default:
      refuse("Fields, lists and maps are not possible here.");
  }
}
