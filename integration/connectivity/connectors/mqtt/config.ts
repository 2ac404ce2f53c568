import { type Static, Type } from "typebox";
import { ServerSchema } from "../../kit/mqtt/server.ts";
import { TakeSchema } from "../../kit/mqtt/taking.ts";

const path = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });

const ValueSchema = Type.Object(
  {
    path: path("Where in the payload the value stands, e.g. `data.temperature` or `readings[0].v`."),
    name: Type.Optional(path("How the tag is called below the template's tag; default: the path.")),
    type: Type.Enum(["any", "number", "boolean", "text"], {
      default: "any",
      description: "What is expected; anything else is stored as a bad value.",
    }),
  },
  { additionalProperties: false, description: "One value of the payload." },
);

export const TemplateSchema = Type.Object(
  {
    topic: Type.String({
      minLength: 1,
      maxLength: 512,
      description:
        "Topic with variable levels in braces, e.g. `plant/{line}/{machine}/state`; `{rest...}` at the end takes all further levels.",
    }),
    tag: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          "Address of the tag, made of the same variables, e.g. `{line}.{machine}.state`; default: the topic.",
      }),
    ),
    payload: Type.Enum(["scalar", "json", "columns"], {
      default: "scalar",
      description:
        '`scalar`: the payload is the value. `json`: values by path, or all of them. `columns`: arrays side by side, e.g. {"t":[…],"v":[…]}.',
    }),
    type: Type.Enum(["any", "number", "boolean", "text"], {
      default: "any",
      description: "What a scalar is expected to be.",
    }),
    values: Type.Array(ValueSchema, {
      maxItems: 500,
      default: [],
      description: "Values of a JSON payload; empty: every number, text and boolean in it.",
    }),
    timePath: Type.Optional(
      path("Where the source's time stands; without it a value stands at the time it was received."),
    ),
    timeUnit: Type.Enum(["auto", "s", "ms", "us", "ns"], {
      default: "auto",
      description: "Unit of a numeric time since 1970; auto: by its size.",
    }),
    quality: Type.Optional(
      Type.Object(
        {
          path: path("Where the source's quality stands."),
          style: Type.Enum(["statusCode", "opcDa", "good"], {
            description: '`statusCode`: OPC UA, 0 is good. `opcDa`: 192 is good. `good`: true, "good" or "ok" is good.',
          }),
        },
        { additionalProperties: false, description: "Quality that travels in the payload." },
      ),
    ),
    retained: Type.Enum(["take", "ignore"], {
      default: "take",
      description: "Retained messages, which the server sends again at each new subscription.",
    }),
  },
  { additionalProperties: false, description: "Which topics are read, and how." },
);
export type TemplateConfig = Static<typeof TemplateSchema>;

/** What is read, wherever it comes from. */
const reading = {
  take: TakeSchema,
  templates: Type.Array(TemplateSchema, {
    maxItems: 500,
    default: [],
    description: "Which topics are read, and how; the first that fits is used.",
  }),
  learn: Type.Array(Type.String({ minLength: 1, maxLength: 512, description: "A topic filter." }), {
    maxItems: 20,
    default: [],
    description: "Topic filters to look at without storing anything: templates are proposed from what comes.",
  }),
};

export const MqttConfigSchema = Type.Object(
  {
    server: ServerSchema,
    qos: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)], {
      default: 1,
      description:
        "Quality of service that subscriptions ask for; from 1 on nothing is acknowledged before it is durable.",
    }),
    session: Type.Enum(["kept", "clean"], {
      default: "kept",
      description: "`kept`: the server keeps what comes while we are away (QoS 1 and 2). `clean`: it does not.",
    }),
    ...reading,
  },
  { additionalProperties: false, description: "Topics of an MQTT server as raw tags." },
);
export type MqttConfig = Static<typeof MqttConfigSchema>;

export const MqttBrokerConfigSchema = Type.Object(reading, {
  additionalProperties: false,
  description: "Topics that devices publish to the embedded broker as raw tags.",
});
export type MqttBrokerConfig = Static<typeof MqttBrokerConfigSchema>;
export type MqttReading = Pick<MqttConfig, "templates" | "learn" | "take">;

export const MqttTagOptionsSchema = Type.Object(
  {},
  { additionalProperties: false, description: "None: the template says everything." },
);
