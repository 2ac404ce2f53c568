import { type ConditionRow, meaningCode, type PropertyType } from "@lineshaft/contract/api";
import { Environment } from "@marcbachmann/cel-js";
import { checked, nodesOf, type Program, type Scope, type ValueType } from "./condition.ts";
import { tagWidth, unknownValue } from "./layout.ts";
import { type Decision, isText, outside, textKey } from "./mapping.ts";

/** Names that conditions of one property may speak of, all together. */
export const namesMax = 16;

/** What the values of properties are in a condition. */
export type NamedTypes = Readonly<Record<string, PropertyType>>;

const valueTypes = { double: "double", int64: "int", boolean: "bool", string: "string" } as const;

export const scopeOf = (types: NamedTypes, unknown: Scope["unknown"]): Scope => ({
  types: new Map(Object.entries(types).map(([name, type]) => [name, valueTypes[type]])),
  unknown,
});

/** Throws `ConditionFault` where the text is no condition over these names. `unknown` tells why there is no other. */
export function checkJointCondition(text: string, types: NamedTypes, unknown: Scope["unknown"]): void {
  checked(text, scopeOf(types, unknown));
}

/** As values are told to a condition; a text is its key. */
type Told = number | bigint | boolean;

interface Row {
  names: readonly string[];
  /** Throws where it has no answer. */
  applies: (told: ReadonlyMap<string, Told>) => boolean;
  code: number;
}

/** Conditions of a property, ready to be asked for machines whatever their tags are called. */
export class ConditionTable {
  readonly types: ReadonlyMap<string, ValueType>;
  readonly #rows: readonly Row[];
  readonly #meaning: string;
  /** Of the instant that is asked about: what is told, and the names of which nothing is known. */
  readonly #told = new Map<string, Told>();
  readonly #unknown = new Set<string>();

  constructor(conditions: readonly ConditionRow[], types: NamedTypes) {
    const scope = scopeOf(types, (name) => name);
    this.types = scope.types;
    this.#rows = conditions.map((row) => ({ ...compiled(row.when, scope), code: meaningCode(row) }));
    this.#meaning = JSON.stringify([conditions, types]);
  }

  /** For a machine whose tags are these properties, in the order of its channels. */
  decide(names: readonly string[]): Decision {
    return {
      meaning: JSON.stringify([this.#meaning, names]),
      code: (s, at, of) => {
        this.#told.clear();
        for (const name of this.types.keys()) this.#unknown.add(name);
        for (const [channel, name] of names.entries()) {
          const value = s[at + tagWidth * channel];
          if (of[channel] !== null && value !== unknownValue && s[at + tagWidth * channel + 1] === 0)
            this.#tell(name, value);
        }
        return this.#ask();
      },
    };
  }

  /** A value that the declared type does not have is known, and has no answer. */
  #tell(name: string, value: number): void {
    this.#unknown.delete(name);
    const type = this.types.get(name);
    if (isText(value) !== (type === "string")) return;
    if (type === "int") {
      if (Number.isInteger(value)) this.#told.set(name, BigInt(value));
    } else this.#told.set(name, type === "bool" ? value !== 0 : value);
  }

  /**
   * The first row that is true. A row without an answer leaves all behind it open: because a value is not known, and so is the state; or because it cannot be computed, which
   * is a fault in what was mapped. As in CEL, `false && unknown` is false and `true || unknown` is true, on either side, and not known outweighs not computable.
   */
  #ask(): number {
    for (const { applies, names, code } of this.#rows) {
      try {
        if (applies(this.#told)) return code;
      } catch {
        return names.some((name) => this.#unknown.has(name)) ? 0 : outside;
      }
    }
    return outside;
  }
}

/** A configuration with a condition that is none is refused; one that came past that must not stop all others, so it never has an answer. */
function compiled(text: string, scope: Scope): Omit<Row, "code"> {
  try {
    const { ast } = checked(text, scope);
    const nodes = [...nodesOf(ast)];
    const names = [...new Set(nodes.flatMap((node) => (node.op === "id" ? [node.args] : [])))];
    const program = asked(text, nodes, scope, names);
    return { names, applies: (told) => program(told as Map<string, Told>) === true };
  } catch (error) {
    return {
      names: [],
      applies: () => {
        throw error;
      },
    };
  }
}

/** The same with keys in the place of texts, since of a text only its key is kept. */
function asked(
  text: string,
  nodes: readonly ReturnType<typeof checked>["ast"][],
  scope: Scope,
  names: readonly string[],
): Program {
  let keyed = text;
  const texts = nodes.flatMap(({ op, args, range }) =>
    op === "value" && typeof args === "string" ? [{ args, range }] : [],
  );
  for (const { args, range } of texts.sort((a, b) => b.range.start - a.range.start))
    keyed = `${keyed.slice(0, range.start)}${textKey(args)}${keyed.slice(range.end)}`;
  const environment = new Environment();
  for (const name of names) {
    const type = scope.types.get(name) ?? "double";
    environment.registerVariable(name, type === "string" ? "double" : type);
  }
  return environment.parse(keyed);
}
