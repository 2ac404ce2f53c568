import { type Static, Type } from "typebox";
import { BookingSchema, bookingCauses, NewBookingSchema } from "./bookings.ts";
import { WriteReceiptSchema } from "./equipment.ts";
import { itemStates, operationModes } from "./facts.ts";
import { AlarmTextSchema } from "./mapping-alarm.ts";
import { recordedSchema } from "./master-data.ts";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

const closed = { additionalProperties: false } as const;
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

const work = {
  order: Type.String(),
  operation: Type.String(),
  name: orNull(Type.String()),
  material: orNull(Type.String()),
  materialName: orNull(Type.String()),
  unit: Type.String(),
  quantity: Type.Number({ description: "Ordered." }),
};

/** A stop of the machine with what was said of it. `toUs` null: it lasts. */
export const StopSchema = Type.Object(
  {
    fromUs: MicrosSchema,
    toUs: orNull(MicrosSchema),
    micro: Type.Boolean(),
    reasons: Type.Array(
      Type.Object({ fromUs: MicrosSchema, toUs: MicrosSchema, reason: Type.Integer() }, { description: "In order." }),
    ),
    proposal: Type.Union([Type.Integer(), Type.Null()], {
      description:
        "A reason: of `alarm`, where its mapping names one; else the first that the machine itself told in it, or just before.",
    }),
    proposedBy: Type.Union([Type.Enum(["alarm", "machine"]), Type.Null()]),
    alarm: orNull(
      Type.Object(
        {
          atUs: MicrosSchema,
          property: Type.String(),
          code: Type.String(),
          text: orNull(AlarmTextSchema),
          severity: Type.Integer({ minimum: 1, maximum: 1000 }),
        },
        { description: "The first alarm that came around its beginning: from 30 s before to 3 min after." },
      ),
    ),
    comments: Type.Array(Type.String()),
  },
  { $id: "Stop" },
);
export type WorkStop = Static<typeof StopSchema>;

/** What a machine works at: all that a terminal or an andon board shows of it. */
export const WorkSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    name: Type.String(),
    path: Type.String(),
    atUs: Type.Unsafe<number>({ ...MicrosSchema, description: "The server's time of this answer." }),
    watermarkUs: orNull(MicrosSchema),
    timeZone: Type.String(),
    state: Type.Object(
      {
        itemState: orNull(Type.Enum([...itemStates])),
        operationMode: orNull(Type.Enum([...operationModes])),
        sinceUs: MicrosSchema,
      },
      { description: "As the machine told last; null: unknown." },
    ),
    running: Type.Array(
      Type.Object({
        ...work,
        fromUs: MicrosSchema,
        by: Type.Optional(
          Type.Enum(["identifier"], { description: "The machine told it by an identifier. Default: it was booked." }),
        ),
        made: orNull(
          Type.Object(
            { good: Type.Number(), scrap: Type.Number(), rework: Type.Number() },
            { description: "On this equipment, over the last days." },
          ),
        ),
      }),
    ),
    next: Type.Array(Type.Object({ ...work, plannedFromUs: orNull(MicrosSchema) }), {
      description: "Interrupted here, or planned here and not finished: the next first.",
    }),
    setUp: orNull(Type.Object({ fromUs: MicrosSchema, order: orNull(Type.String()) })),
    stops: Type.Array(StopSchema, { description: "The newest first." }),
    usualReasons: Type.Array(Type.Integer(), { description: "Given most often here lately." }),
  },
  { $id: "Work" },
);
export type Work = Static<typeof WorkSchema>;

const equipment = Type.Object({ id: Type.Integer({ minimum: 1 }) }, closed);
const booking = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }, closed);
const recordedBooking = recordedSchema(BookingSchema);

/** What came of a booking. `effect` none: it is kept, and changes nothing for the cause that is told. */
export const BookingAnswerSchema = Type.Object(
  {
    item: recordedBooking,
    effect: Type.Enum(["applied", "none"]),
    cause: orNull(Type.Enum([...bookingCauses])),
    repeated: Type.Boolean({ description: "It was known already." }),
    receipt: WriteReceiptSchema,
  },
  { $id: "BookingAnswer" },
);

export const workRoutes = {
  getWork: {
    method: "GET",
    path: "/equipment/{id}/work",
    summary: "What a work unit works at: orders, set-up, and its stops of the last hours with their reasons",
    permission: "read",
    params: equipment,
    query: Type.Object(
      { hours: Type.Optional(Type.Integer({ minimum: 1, maximum: 72, description: "Of stops. Default 12." })) },
      closed,
    ),
    response: WorkSchema,
  },
  book: {
    method: "POST",
    path: "/equipment/{id}/bookings",
    summary:
      "Book what happened at a work unit: an order's start or end, set-up, a reason, scrap; with its own time, once",
    permission: "book",
    params: equipment,
    body: NewBookingSchema,
    response: BookingAnswerSchema,
  },
  listBookings: {
    method: "GET",
    path: "/bookings",
    summary: "Bookings, by id",
    permission: "read",
    query: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
        equipmentId: Type.Optional(Type.Integer({ minimum: 1, description: "Only of this equipment." })),
        from: Type.Optional(TimeInputSchema),
        to: Type.Optional(TimeInputSchema),
        asOf: Type.Optional(Type.Integer({ minimum: 1, description: "As they were known at this place in the log." })),
      },
      closed,
    ),
    response: Type.Object({ items: Type.Array(recordedBooking), cursor: orNull(Type.String()) }),
  },
  takeBackBooking: {
    method: "DELETE",
    path: "/bookings/{id}",
    summary: "Take a booking back: everything is as if it had not been made (If-Match)",
    permission: "book",
    params: booking,
    response: Type.Object({ item: recordedBooking, receipt: WriteReceiptSchema }),
  },
} as const;
