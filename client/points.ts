import {
  type Columns,
  ColumnsBuilder,
  type Micros,
  type OtherEvent,
  type PointsRecordedJson,
  ProblemError,
  parseTimeUs,
  type StreamEvent,
  type Value,
  valueFromJson,
  valueTypeCode,
} from "@lineshaft/contract/api";

/** One point as a program writes it. */
export interface PointInput {
  /** The source's own name of the tag. */
  tag: string;
  /** sourceTime: µs since 1970, or RFC 3339 text with a zone. Without it the server's receivedTime stands. */
  time?: Micros | string;
  value: Value;
  /** OPC UA StatusCode; default Good. */
  status?: number;
  ordinal?: number;
  /** Only to say that a number is an int64. */
  type?: "int64";
}

/** Many points as columns: `columns.tag` indexes `names`. For sources that have columns anyway. */
export interface NamedColumns {
  names: readonly string[];
  columns: Columns;
}

/** Throws ProblemError `time_invalid`. */
export function toNamedColumns(points: readonly PointInput[]): NamedColumns {
  const builder = new ColumnsBuilder(Math.max(1, points.length));
  const indexes = new Map<string, number>();
  const names: string[] = [];
  for (const { tag, time, value, status, ordinal, type } of points) {
    let index = indexes.get(tag);
    if (index === undefined) {
      index = names.push(tag) - 1;
      indexes.set(tag, index);
    }
    const t = time === undefined ? NaN : parseTimeUs(time);
    if (t === null)
      throw new ProblemError("time_invalid", `${time} is neither µs since 1970 nor RFC 3339 text with a zone.`);
    builder.add(index, t, value, status, ordinal, type);
  }
  return { names, columns: builder.build() };
}

/** A JSON event of the stream as the program sees it; points become columns. */
export function eventFromJson(json: Record<string, unknown>): StreamEvent {
  if (json.type !== "points.recorded") return json as unknown as OtherEvent;
  const { tag, time, value, status, ordinal, valueType } = json as unknown as PointsRecordedJson;
  const builder = new ColumnsBuilder(Math.max(1, tag.length));
  for (let i = 0; i < tag.length; i++) {
    const int64 = valueType?.[i] === valueTypeCode.int64 ? "int64" : undefined;
    builder.add(tag[i], time[i], valueFromJson(value[i]) ?? null, status?.[i], ordinal?.[i], int64);
  }
  const { lsn, cursor, recordedTime, connectionId, late, corrected } = json as unknown as PointsRecordedJson;
  return {
    type: "points.recorded",
    lsn,
    cursor,
    recordedTime,
    connectionId,
    late,
    corrected,
    columns: builder.build(),
  };
}
