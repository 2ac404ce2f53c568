import type { AddressSpace, Namespace, UAObject, UAStateMachineEx, UAVariable } from "node-opcua-address-space";
import { machineryState, packMl, type Signal } from "../plant/index.ts";
import { isCounter } from "../plant/signal.ts";
import type { PlantRow } from "./end.ts";
import { opcUaUnits } from "./opcua-units.ts";

/** What of the library building an address space needs; loaded by the server, and only when OPC UA is on. */
export interface OpcUaLibrary {
  promoteToStateMachine: typeof import("node-opcua-address-space").promoteToStateMachine;
  makeEUInformation: typeof import("node-opcua-data-access").makeEUInformation;
  EUInformation: typeof import("node-opcua-data-access").EUInformation;
}

const machineryUri = "http://opcfoundation.org/UA/Machinery/";
const deviceUri = "http://opcfoundation.org/UA/DI/";
const packMlUri = "http://opcfoundation.org/UA/PackML/";

/** Superstates of PackML's three nested state machines (OPC 30050): in which of them each state lies. */
const baseStates = new Set(["Aborted", "Aborting"]);
const machineStates = new Set(["Clearing", "Stopped", "Stopping"]);

type PackMlState = keyof typeof packMl;
const stateNames = new Map<number, PackMlState>(
  Object.entries(packMl).map(([name, code]) => [code, name as PackMlState]),
);

type Setter = (value: PlantRow["value"], at: Date) => void;

/** One machine below `Objects/Machines`: OPC 40001-1 building blocks, a PackML object, and its variables with the plant's addresses as node ids. */
export class OpcUaMachine {
  readonly #setters = new Map<string, Setter[]>();
  readonly #space: AddressSpace;
  readonly #own: Namespace;
  readonly #library: OpcUaLibrary;
  readonly #machine: UAObject;
  readonly #folders = new Map<string, UAObject>();

  constructor(space: AddressSpace, own: Namespace, library: OpcUaLibrary, name: string, signals: readonly Signal[]) {
    this.#space = space;
    this.#own = own;
    this.#library = library;
    const machines = space.findNode(`ns=${space.getNamespaceIndex(machineryUri)};i=1001`);
    if (machines === null) throw new Error("The Machinery nodeset has no folder Machines.");
    // OPC 40001-1: a client finds the machines in this folder and knows them by their building blocks, not by their names.
    this.#machine = own.addObject({ browseName: name, nodeId: `s=${name}`, organizedBy: machines });
    this.#identify(name);
    for (const signal of signals) {
      const { address } = signal;
      if (address.endsWith(".State") || address.endsWith(".StateCurrent")) this.#states(signal);
    }
    for (const signal of signals) if (!carriedByStates(signal)) this.#variable(signal);
  }

  accept({ signal, value, timeUs }: PlantRow): void {
    const setters = this.#setters.get(signal.address);
    if (setters === undefined) return;
    const at = new Date(Math.floor(timeUs / 1000));
    for (const set of setters) set(value, at);
  }

  #identify(name: string): void {
    const identification = this.#instance("MachineIdentificationType", machineryUri, "Identification", deviceUri);
    const set = (property: string, dataType: "String" | "LocalizedText", value: string): void => {
      const node = identification.getPropertyByName(property);
      node?.setValueFromSource({ dataType, value: dataType === "String" ? value : { text: value } });
    };
    set("Manufacturer", "LocalizedText", "Lineshaft demo plant");
    set("SerialNumber", "String", `SIM-${name}`);
    set("ProductInstanceUri", "String", `urn:lineshaft:simulation:machine:${name}`);
  }

  /** The machine's state in each of the vocabularies that a client may understand. */
  #states(signal: Signal): void {
    const itemState = this.#stateMachine(
      this.#instance("MachineryItemState_StateMachineType", machineryUri, "MachineryItemState", machineryUri),
    );
    const mode = this.#stateMachine(
      this.#instance("MachineryOperationModeStateMachineType", machineryUri, "MachineryOperationMode", machineryUri),
    );
    const object = this.#instance("PackMLBaseObjectType", packMlUri, "PackML", null);
    const base = child(object, "BaseStateMachine");
    const machine = child(base, "MachineState");
    const setBase = this.#stateMachine(base);
    const setMachine = this.#stateMachine(machine);
    const setExecute = this.#stateMachine(child(machine, "ExecuteState"));
    const code = this.#own.addVariable({
      browseName: "StateCurrent",
      nodeId: `s=${signal.address}`,
      componentOf: child(object, "Status"),
      dataType: "Int32",
      minimumSamplingInterval: 0,
    });
    this.#on(signal.address, (value, at) => {
      code.setValueFromSource({ dataType: "Int32", value: Number(value) }, undefined, at);
      const state = stateNames.get(Number(value));
      if (state === undefined) return;
      const words = machineryState(state);
      itemState(words.itemState, at);
      mode(words.operationMode, at);
      const name = state[0].toUpperCase() + state.slice(1);
      const inBase = baseStates.has(name);
      const inMachine = machineStates.has(name);
      setBase(inBase ? name : "Cleared", at);
      setMachine(inBase ? null : inMachine ? name : "Running", at);
      setExecute(inBase || inMachine ? null : name, at);
    });
  }

  /** Sets CurrentState and its Id together, with the source's time; null: the state machine is not active. */
  #stateMachine(node: UAObject): (name: string | null, at: Date) => void {
    const machine: UAStateMachineEx = this.#library.promoteToStateMachine(node);
    const states = new Map(machine.getStates().map((state) => [state.browseName.name, state.nodeId]));
    const { currentState } = machine;
    const id = currentState.getPropertyByName("Id");
    let before: string | null = "";
    return (name, at) => {
      if (name === before) return;
      before = name;
      currentState.setValueFromSource({ dataType: "LocalizedText", value: { text: name ?? "" } }, undefined, at);
      const nodeId = states.get(name);
      if (nodeId) id?.setValueFromSource({ dataType: "NodeId", value: nodeId }, undefined, at);
    };
  }

  #variable(signal: Signal): void {
    const { address, unit, type } = signal;
    const name = address.slice(address.lastIndexOf(".") + 1);
    const common = { browseName: name, displayName: signal.name, nodeId: `s=${address}`, minimumSamplingInterval: 0 };
    const place = { ...common, componentOf: this.#folder(signal) };
    let node: UAVariable;
    const known = unit === null ? undefined : opcUaUnits[unit];
    const dataType = { double: "Double", int64: "UInt32", boolean: "Boolean", string: "String" }[type];
    if (known && unit !== null)
      node = this.#own.addAnalogDataItem({
        ...place,
        dataType,
        engineeringUnits: this.#unit(unit),
        engineeringUnitsRange: { low: known.low, high: known.high },
      });
    else node = this.#own.addVariable({ ...place, dataType });
    this.#on(address, (value, at) => node.setValueFromSource({ dataType, value }, undefined, at));
    if (address.endsWith(".CurMachSpeed")) this.#packMlSpeed(address);
  }

  #packMlSpeed(address: string): void {
    const status = this.#machine.getComponentByName("PackML")?.getComponentByName("Status");
    const speed = status?.getComponentByName("CurMachSpeed") as UAVariable | null | undefined;
    this.#on(address, (value, at) => {
      speed?.setValueFromSource({ dataType: "Float", value: Number(value) }, undefined, at);
    });
  }

  #unit(ucum: string) {
    const { code, symbol, name } = opcUaUnits[ucum];
    if (code !== null) return this.#library.makeEUInformation(code, symbol, name);
    // OPC 10000-8, EUInformation: a unit outside UN/CEFACT has unitId -1 and a namespace of its own.
    return new this.#library.EUInformation({
      namespaceUri: "http://unitsofmeasure.org",
      unitId: -1,
      displayName: { text: symbol },
      description: { text: ucum },
    });
  }

  #folder({ address, type }: Signal): UAObject {
    const name = type === "string" ? "Production" : isCounter(address) ? "Counters" : "Monitoring";
    const known = this.#folders.get(name);
    if (known) return known;
    const folder = this.#own.addObject({
      browseName: name,
      nodeId: `s=${this.#machine.nodeId.value}.${name}`,
      typeDefinition: "FolderType",
      componentOf: this.#machine,
    });
    this.#folders.set(name, folder);
    return folder;
  }

  /** Building blocks hang on the machine by HasAddIn (OPC 40001-1), with the browse name of their specification. */
  #instance(type: string, typeUri: string, name: string, nameUri: string | null): UAObject {
    const found = this.#space.findObjectType(type, this.#space.getNamespaceIndex(typeUri));
    if (found === null) throw new Error(`The nodesets have no type ${type}.`);
    const namespaceIndex = nameUri === null ? this.#own.index : this.#space.getNamespaceIndex(nameUri);
    return found.instantiate({
      browseName: { namespaceIndex, name },
      namespace: this.#own,
      references: [
        {
          referenceType: nameUri === null ? "HasComponent" : "HasAddIn",
          isForward: false,
          nodeId: this.#machine.nodeId,
        },
      ],
    });
  }

  #on(address: string, set: Setter): void {
    this.#setters.set(address, [...(this.#setters.get(address) ?? []), set]);
  }
}

/** These texts are the CurrentState of a state machine and no variables of their own; the code is one, below PackML/Status. */
function carriedByStates({ address }: Signal): boolean {
  return /\.(State|StateCurrent|StateName|MachineryItemState|MachineryOperationMode)$/.test(address);
}

function child(parent: UAObject, name: string): UAObject {
  const found = parent.getComponentByName(name);
  if (found === null) throw new Error(`${parent.browseName.toString()} has no component ${name}.`);
  return found as UAObject;
}
