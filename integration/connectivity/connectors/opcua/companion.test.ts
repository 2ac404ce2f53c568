import { expect, test } from "vitest";
import { hintOf, type KnownType } from "./companion.ts";

const state: KnownType = { type: "MachineryItemState_StateMachineType", below: { CurrentState: "itemState" } };
const identification: KnownType = { type: "MachineIdentificationType", below: { "*": "identifier" } };
const analog: KnownType = { type: "AnalogItemType", kind: "processValue" };

test.each([
  ["a state machine is one, and no tag", state, null, "MachineryItemState", false, { type: state.type }],
  ["its state is the item's", null, state, "CurrentState", true, { type: state.type, kind: "itemState" }],
  ["its last transition is not", null, state, "LastTransition", true, undefined],
  [
    "what identifies a machine",
    null,
    identification,
    "SerialNumber",
    true,
    { type: identification.type, kind: "identifier" },
  ],
  ["an analog item is a process value", analog, null, "Temperature", true, { type: analog.type, kind: "processValue" }],
  [
    "its place says more than its type",
    analog,
    identification,
    "YearOfConstruction",
    true,
    { type: identification.type, kind: "identifier" },
  ],
  ["an unknown variable is nothing", null, null, "Speed", true, undefined],
  ["an unknown object is nothing", null, state, "Folder", false, undefined],
] as const)("%s", (_, own, parent, name, isVariable, hint) => {
  expect(hintOf(own, parent, name, isVariable)).toEqual(hint);
});
