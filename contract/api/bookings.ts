import { type Static, Type } from "typebox";
import { type Micros, MicrosSchema } from "./time.ts";

/**
 * Bookings: what somebody at a machine says happened there, in his own words and at its own time. The platform makes orders, set-ups, annotations and late scrap of them
 * (adr/0011); what it makes depends on the bookings alone and not on the order in which they came, so a terminal may keep them while it has no connection and send them later.
 */

const closed = { additionalProperties: false } as const;
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** `operation` is left out where the order has one only, or one only is planned here. */
const work = {
  order: text(128, "Id of the order."),
  operation: Type.Optional(orNull(text(64, "Its operation."))),
};
const range = { fromUs: MicrosSchema, toUs: MicrosSchema };
const reason = Type.Integer({ minimum: 1, description: "Number of a reason." });
const remark = Type.Optional(Type.String({ maxLength: 4000 }));
/** By what the time of production is found, where nobody says it. */
export const scrapSubject = {
  serials: Type.Optional(
    Type.Array(text(128, "Serial number."), {
      minItems: 1,
      maxItems: 1000,
      description: "The units; each stands for an equal share of the quantity.",
    }),
  ),
  lot: Type.Optional(text(128, "The lot, where no units are named.")),
};
const found = {
  ...work,
  quantity: Type.Number({ description: "In the order's unit." }),
  reason: Type.Optional(orNull(reason)),
  madeUs: Type.Optional(
    Type.Union([Type.Object(range, closed), Type.Null()], {
      description: "When it was made, if that is known. Else it counts where the machine last produced for the order.",
    }),
  ),
  ...scrapSubject,
};

export const BookingIntentSchema = Type.Union(
  [
    Type.Object(
      {
        kind: Type.Literal("startOrder"),
        ...work,
        others: Type.Optional(
          Type.Enum(["interrupt", "keep"], {
            description: "What becomes of other orders that run. Default interrupt.",
          }),
        ),
      },
      closed,
    ),
    Type.Object({ kind: Type.Literal("interruptOrder"), ...work }, closed),
    Type.Object({ kind: Type.Literal("finishOrder"), ...work }, closed),
    Type.Object(
      {
        kind: Type.Literal("setUpBegin"),
        order: Type.Optional(orNull(text(128, "Only for this order; it then ends with it."))),
      },
      closed,
    ),
    Type.Object({ kind: Type.Literal("setUpEnd") }, closed),
    Type.Object({ kind: Type.Literal("reason"), ...range, reason, text: remark }, closed),
    Type.Object({ kind: Type.Literal("split"), ...range, reason, text: remark }, closed),
    Type.Object({ kind: Type.Literal("comment"), ...range, text: text(4000, "What is said.") }, closed),
    Type.Object({ kind: Type.Literal("scrap"), ...found }, closed),
    Type.Object({ kind: Type.Literal("rework"), ...found }, closed),
  ],
  { description: "What happened. `reason` is of the whole stop in its range, `split` of this part of it." },
);
export type BookingIntent = Static<typeof BookingIntentSchema>;
export type BookingKind = BookingIntent["kind"];

const said = {
  atUs: Type.Unsafe<Micros>({ ...MicrosSchema, description: "When it happened, by whoever says so." }),
  by: Type.Optional(text(64, "Pseudonym of who said it, never a name. It stays with the booking.")),
  intent: BookingIntentSchema,
};

/** A booking as it is sent. The same `id` again is the same booking: it changes nothing. */
export const NewBookingSchema = Type.Object(
  { id: text(64, "Made by the sender, unique for ever, e.g. a UUID."), ...said },
  { $id: "NewBooking", ...closed },
);
export type NewBooking = Static<typeof NewBookingSchema>;

/** A booking as it is kept. */
export const BookingSchema = Type.Object(
  { equipmentId: Type.Integer({ minimum: 1 }), ...said },
  { $id: "Booking", ...closed },
);
export type Booking = Static<typeof BookingSchema>;

/** Why a booking changes nothing: `notRunning` until a start from before it comes, the others as they say. */
export const bookingCauses = [
  "alreadyRunning",
  "notRunning",
  "orderFinished",
  "orderUnknown",
  "alreadySettingUp",
  "notSettingUp",
] as const;
export type BookingCause = (typeof bookingCauses)[number];
