import { type Static, Type } from "typebox";
import { ServerSchema } from "../../kit/mqtt/server.ts";
import { TakeSchema } from "../../kit/mqtt/taking.ts";

const host = {
  hostId: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: "^[^+#/]+$",
    default: "lineshaft",
    description: "Our host id; unique among all host applications. Edge nodes name it as their primary host.",
  }),
  groups: Type.Array(Type.String({ minLength: 1, maxLength: 256, pattern: "^[^+#/]+$", description: "A group id." }), {
    maxItems: 100,
    default: [],
    description: "Only these groups; empty: all.",
  }),
  take: TakeSchema,
  reorderTimeoutMs: Type.Integer({
    minimum: 0,
    maximum: 60_000,
    default: 2000,
    description: "How long a missing message is waited for before a rebirth is asked for.",
  }),
  rebirth: Type.Enum(["ask", "never"], {
    default: "ask",
    description: "May edge nodes be asked for a new birth? At most once in ten seconds each.",
  }),
};

export const SparkplugConfigSchema = Type.Object(
  {
    servers: Type.Array(ServerSchema, {
      minItems: 1,
      maxItems: 4,
      description: "The MQTT servers of this Sparkplug infrastructure; all are used at once.",
    }),
    ...host,
  },
  { additionalProperties: false, description: "A Sparkplug B 3.0 host application." },
);
export type SparkplugConfig = Static<typeof SparkplugConfigSchema>;

export const SparkplugBrokerConfigSchema = Type.Object(host, {
  additionalProperties: false,
  description: "A Sparkplug B 3.0 host application at the embedded broker.",
});
export type SparkplugBrokerConfig = Static<typeof SparkplugBrokerConfigSchema>;
export type SparkplugReading = Omit<SparkplugConfig, "servers">;

export const SparkplugTagOptionsSchema = Type.Object(
  {},
  { additionalProperties: false, description: "None: the birth certificate says everything." },
);
