import { type Static, Type } from "typebox";
import { dataTypes, wordOrders } from "./address.ts";

const range = "^([0-9]{1,3}/)?(coil|discrete|holding|input):[0-9]{1,5}(-[0-9]{1,5})?$";

export const configSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253, description: "Name or IP address of the device or gateway." }),
    port: Type.Integer({ minimum: 1, maximum: 65535, default: 502, description: "TCP port; Modbus TCP uses 502." }),
    unitId: Type.Integer({
      minimum: 0,
      maximum: 255,
      default: 1,
      description:
        "Unit of addresses that name none. Devices with Ethernet mostly take 1, 0 or 255; behind a gateway it is the serial address.",
    }),
    addressing: Type.Enum(["oneBased", "zeroBased"], {
      default: "oneBased",
      description:
        "Whether the first holding register is 40001 or 40000 in the device's manual. holding:0 is always the first.",
    }),
    wordOrder: Type.Enum([...wordOrders], {
      default: "ABCD",
      description: "How bytes of values lie in registers, A being the most significant; tags may differ.",
    }),
    periodMs: Type.Integer({
      minimum: 10,
      maximum: 86_400_000,
      default: 1000,
      description: "How often tags without a class of their own are read, in ms.",
    }),
    report: Type.Enum(["onChange", "always"], {
      default: "onChange",
      description: "Report a value when it changes and at each heartbeat, or at every poll.",
    }),
    heartbeatMs: Type.Integer({
      minimum: 100,
      maximum: 3_600_000,
      default: 60_000,
      description: "An unchanged value is reported again after this long, in ms: it proves that the tag is still read.",
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 100,
      maximum: 60_000,
      default: 3000,
      description: "How long the device may take to accept the connection, in ms.",
    }),
    timeoutMs: Type.Integer({
      minimum: 20,
      maximum: 60_000,
      default: 1000,
      description: "How long an answer may take, in ms. Behind a serial gateway allow several turns of the bus.",
    }),
    timeoutsUntilLost: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 3,
      description: "So many requests in a row without any answer are a lost connection.",
    }),
    violationsUntilError: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: "So many wrong answers in a row end the connection, which then pauses.",
    }),
    inFlight: Type.Integer({
      minimum: 1,
      maximum: 16,
      default: 1,
      description: "Requests under way at once. Many devices serve only one; more helps where the way is long.",
    }),
    maxRegisters: Type.Integer({
      minimum: 1,
      maximum: 125,
      default: 125,
      description: "Registers in one read. Some devices take fewer than the 125 of the standard.",
    }),
    maxCoils: Type.Integer({
      minimum: 1,
      maximum: 2000,
      default: 2000,
      description: "Coils or discrete inputs in one read.",
    }),
    maxGapRegisters: Type.Integer({
      minimum: 0,
      maximum: 124,
      default: 8,
      description:
        "Unbound registers that may be read along to save a read. A gap that the device refuses is never read again; 0: none is.",
    }),
    maxGapCoils: Type.Integer({
      minimum: 0,
      maximum: 1999,
      default: 64,
      description: "Unbound coils or discrete inputs that may be read along to save a read.",
    }),
    neverRead: Type.Array(Type.String({ pattern: range, description: "A range such as holding:50-59 or 3/input:7." }), {
      maxItems: 256,
      default: [],
      description: "Addresses that are never read along, e.g. because reading changes them.",
    }),
    probe: Type.String({
      pattern: `^$|${range}`,
      default: "holding:0",
      description:
        "Read once after connecting, to see that somebody answers; an exception is an answer. Empty: nothing is read.",
    }),
  },
  { additionalProperties: false },
);
export type ModbusConfig = Static<typeof configSchema>;

const countFields = {
  edge: Type.Enum(["rising", "falling", "both"], { default: "rising", description: "Which changes are counted." }),
  debounceMs: Type.Number({
    minimum: 0,
    maximum: 60_000,
    default: 0,
    description: "A level counts only when it was seen for this long, in ms.",
  }),
};

export const tagOptionsSchema = Type.Object(
  {
    unitId: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 255, description: "Unit of this tag, where not the connection's." }),
    ),
    dataType: Type.Optional(
      Type.Enum([...dataTypes], {
        description: "Data type, where the address names none; else uint16, or bool for bits.",
      }),
    ),
    length: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 125, description: "Registers of a text, two characters each." }),
    ),
    bit: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 15, description: "Bit of the register; 0 is the least significant." }),
    ),
    wordOrder: Type.Optional(
      Type.Enum([...wordOrders], { description: "Byte order of this tag, where not the connection's." }),
    ),
    report: Type.Optional(
      Type.Enum(["onChange", "always"], { description: "When this tag is reported, where not as the connection's." }),
    ),
    count: Type.Optional(
      Type.Object(countFields, {
        additionalProperties: false,
        description: "Count the edges of this signal instead of reporting its level. Pulses must last two periods.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ModbusTagOptions = Static<typeof tagOptionsSchema>;
