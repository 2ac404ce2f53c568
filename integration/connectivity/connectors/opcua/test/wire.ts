// OPC UA binary (Part 6, 5.2), written by hand from the standard: what our tests say to the connector shall not come from the library that it is built on.

/** 1601-01-01 to 1970-01-01 in 100 ns. */
const epochTicks = 116_444_736_000_000_000n;

/** DateTime of an instant in µs. */
export const ticksOf = (us: number): bigint => BigInt(Math.floor(us)) * 10n + epochTicks;

export const builtIn = {
  boolean: 1,
  byte: 3,
  int32: 6,
  uint32: 7,
  double: 11,
  string: 12,
  dateTime: 13,
  nodeId: 17,
  qualifiedName: 20,
  localizedText: 21,
  structure: 22,
} as const;

/** A Variant of one of the types above; an array where `value` is one. */
export interface WireValue {
  type: number;
  value: unknown;
}

/** Bytes under construction; grows as needed. */
export class Writer {
  #bytes: Buffer;
  at = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  u8(value: number): this {
    this.#room(1);
    this.at = this.#bytes.writeUInt8(value & 0xff, this.at);
    return this;
  }

  u16(value: number): this {
    this.#room(2);
    this.at = this.#bytes.writeUInt16LE(value & 0xffff, this.at);
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.at = this.#bytes.writeUInt32LE(value >>> 0, this.at);
    return this;
  }

  i64(value: bigint): this {
    this.#room(8);
    this.at = this.#bytes.writeBigInt64LE(value, this.at);
    return this;
  }

  f64(value: number): this {
    this.#room(8);
    this.at = this.#bytes.writeDoubleLE(value, this.at);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  /** ByteString; null has length −1. */
  bytes(bytes: Uint8Array | null): this {
    return bytes === null ? this.u32(0xffffffff) : this.u32(bytes.length).raw(bytes);
  }

  string(text: string | null): this {
    return this.bytes(text === null ? null : Buffer.from(text));
  }

  time(us: number): this {
    return this.i64(us <= 0 ? 0n : ticksOf(us));
  }

  /** `i=85`, `ns=1;i=7`, `ns=1;s=Speed`. */
  nodeId(id: string): this {
    const found = /^(?:ns=(\d+);)?([is])=(.*)$/.exec(id);
    if (found === null) throw new Error(`"${id}" is no NodeId of these tests.`);
    const namespace = Number(found[1] ?? 0);
    if (found[2] === "s") return this.u8(3).u16(namespace).string(found[3]);
    return this.u8(2).u16(namespace).u32(Number(found[3]));
  }

  qualifiedName(name: string | null, namespace = 0): this {
    return this.u16(namespace).string(name);
  }

  localizedText(text: string): this {
    return this.u8(2).string(text);
  }

  array<T>(list: readonly T[], write: (value: T) => void): this {
    this.u32(list.length);
    for (const value of list) write(value);
    return this;
  }

  /** ExtensionObject with a binary body. */
  structure(typeId: number, body: Uint8Array): this {
    return this.nodeId(`i=${typeId}`).u8(1).bytes(body);
  }

  noStructure(): this {
    return this.u8(0).u8(0).u8(0);
  }

  variant({ type, value }: WireValue): this {
    if (Array.isArray(value)) {
      this.u8(type | 0x80);
      return this.array(value, (one) => this.#scalar(type, one));
    }
    this.u8(type);
    this.#scalar(type, value);
    return this;
  }

  dataValue(value: WireValue | null, status = 0, sourceUs = 0, serverUs = 0): this {
    const mask = (value === null ? 0 : 1) | (status === 0 ? 0 : 2) | (sourceUs > 0 ? 4 : 0) | (serverUs > 0 ? 8 : 0);
    this.u8(mask);
    if (value !== null) this.variant(value);
    if (status !== 0) this.u32(status);
    if (sourceUs > 0) this.time(sourceUs);
    if (serverUs > 0) this.time(serverUs);
    return this;
  }

  build(): Buffer {
    return this.#bytes.subarray(0, this.at);
  }

  #scalar(type: number, value: unknown): void {
    switch (type) {
      case builtIn.boolean:
        this.bool(value === true);
        break;
      case builtIn.byte:
        this.u8(value as number);
        break;
      case builtIn.int32:
      case builtIn.uint32:
        this.u32(value as number);
        break;
      case builtIn.double:
        this.f64(value as number);
        break;
      case builtIn.string:
        this.string(value as string);
        break;
      case builtIn.dateTime:
        this.time(value as number);
        break;
      case builtIn.nodeId:
        this.nodeId(value as string);
        break;
      case builtIn.qualifiedName:
        this.qualifiedName(value as string);
        break;
      case builtIn.localizedText:
        this.localizedText(value as string);
        break;
      case builtIn.structure: {
        const { typeId, body } = value as { typeId: number; body: Uint8Array };
        this.structure(typeId, body);
        break;
      }
      default:
        throw new Error(`These tests write no type ${type}.`);
    }
  }

  #room(more: number): void {
    if (this.at + more <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.at + more));
    this.#bytes.copy(wider, 0, 0, this.at);
    this.#bytes = wider;
  }
}

/** Reads what `Writer` writes, and the other spellings of a NodeId. */
export class Reader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#step(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#step(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#step(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#step(8));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  bytes(): Buffer | null {
    const length = this.u32();
    if (length === 0xffffffff) return null;
    return this.#bytes.subarray(this.#step(length), this.at);
  }

  string(): string | null {
    return this.bytes()?.toString("utf8") ?? null;
  }

  /** DateTime in µs. */
  time(): number {
    return Number((this.#bytes.readBigInt64LE(this.#step(8)) - epochTicks) / 10n);
  }

  nodeId(): string {
    const kind = this.u8() & 0x3f;
    const prefix = (namespace: number): string => (namespace === 0 ? "" : `ns=${namespace};`);
    switch (kind) {
      case 0:
        return `i=${this.u8()}`;
      case 1: {
        const namespace = this.u8();
        return `${prefix(namespace)}i=${this.u16()}`;
      }
      case 2: {
        const namespace = this.u16();
        return `${prefix(namespace)}i=${this.u32()}`;
      }
      case 3: {
        const namespace = this.u16();
        return `${prefix(namespace)}s=${this.string()}`;
      }
      case 4: {
        const namespace = this.u16();
        return `${prefix(namespace)}g=${this.#bytes.subarray(this.#step(16), this.at).toString("hex")}`;
      }
      default: {
        const namespace = this.u16();
        return `${prefix(namespace)}b=${this.bytes()?.toString("base64")}`;
      }
    }
  }

  qualifiedName(): string | null {
    this.u16();
    return this.string();
  }

  /** The body of an ExtensionObject and its type; null: there is none. */
  structure(): { typeId: string; body: Buffer } | null {
    const typeId = this.nodeId();
    if (this.u8() === 0) return null;
    return { typeId, body: this.bytes() ?? Buffer.alloc(0) };
  }

  array<T>(read: () => T): T[] {
    const length = this.u32();
    return length === 0xffffffff ? [] : Array.from({ length }, read);
  }

  #step(bytes: number): number {
    const from = this.at;
    this.at += bytes;
    return from;
  }
}
