/** Bytes of the types that have always as many, by their numbers (Part 6, 5.1.2); 0 elsewhere. */
const fixedBytes = [0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 8, 16, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0];
const type = {
  null: 0,
  string: 12,
  byteString: 15,
  xmlElement: 16,
  nodeId: 17,
  expandedNodeId: 18,
  qualifiedName: 20,
  localizedText: 21,
  extensionObject: 22,
  dataValue: 23,
  variant: 24,
  diagnosticInfo: 25,
  /** Not in the standard: a matrix's dimensions. */
  dimensions: 26,
} as const;
/** Bytes of a NodeId's namespace and identifier, by the kind in its first byte; the identifier of kinds 3 and 5 is a text. */
const nodeIdBytes = [1, 3, 6, 2, 18, 2];

/**
 * Where the Variant at `at` ends, whatever is in it: one value that the library refuses (too deep, too long) must not take the others of its message along.
 * Without recursion, in time proportional to its bytes. Throws a RangeError where the bytes end before.
 */
export function endOfVariant(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** What is still to come, the next one last: a type and how many of it. */
  const open: { type: number; count: number }[] = [{ type: type.variant, count: 1 }];
  let position = at;
  const skip = (length: number): void => {
    position += length;
    if (position > bytes.length) throw new RangeError("The bytes end within a value.");
  };
  const byte = (): number => view.getUint8(position++);
  const text = (): void => {
    const length = view.getInt32(position, true);
    skip(4 + Math.max(0, length));
  };
  const nodeId = (): void => {
    const first = byte();
    const kind = first & 0x3f;
    if (kind > 5) throw new RangeError("There is no such NodeId.");
    skip(nodeIdBytes[kind]);
    if (kind === 3 || kind === 5) text();
    if ((first & 0x80) !== 0) text();
    if ((first & 0x40) !== 0) skip(4);
  };
  const variant = (): void => {
    const first = byte();
    const of = first & 0x3f;
    if ((first & 0x40) !== 0) open.push({ type: type.dimensions, count: 1 });
    if ((first & 0x80) === 0) open.push({ type: of, count: 1 });
    else {
      const count = view.getInt32(position, true);
      skip(4);
      open.push({ type: of, count: Math.max(0, count) });
    }
  };
  const dataValue = (): void => {
    const mask = byte();
    const after =
      (mask & 2 ? 4 : 0) + (mask & 4 ? 8 : 0) + (mask & 8 ? 8 : 0) + (mask & 16 ? 2 : 0) + (mask & 32 ? 2 : 0);
    // A negative type is so many bytes.
    open.push({ type: -after, count: 1 });
    if ((mask & 1) !== 0) open.push({ type: type.variant, count: 1 });
  };
  const diagnosticInfo = (): void => {
    const mask = byte();
    for (const bit of [1, 2, 4, 8]) if ((mask & bit) !== 0) skip(4);
    if ((mask & 16) !== 0) text();
    if ((mask & 32) !== 0) skip(4);
    if ((mask & 64) !== 0) open.push({ type: type.diagnosticInfo, count: 1 });
  };
  const qualifiedName = (): void => {
    skip(2);
    text();
  };
  const localizedText = (): void => {
    const mask = byte();
    if ((mask & 1) !== 0) text();
    if ((mask & 2) !== 0) text();
  };
  const extensionObject = (): void => {
    nodeId();
    if (byte() !== 0) text();
  };
  const dimensions = (): void => {
    const count = view.getInt32(position, true);
    skip(4 + 4 * Math.max(0, count));
  };
  const steps = new Map<number, () => void>([
    [type.string, text],
    [type.byteString, text],
    [type.xmlElement, text],
    [type.nodeId, nodeId],
    [type.expandedNodeId, nodeId],
    [type.qualifiedName, qualifiedName],
    [type.localizedText, localizedText],
    [type.extensionObject, extensionObject],
    [type.dataValue, dataValue],
    [type.variant, variant],
    [type.diagnosticInfo, diagnosticInfo],
    [type.dimensions, dimensions],
  ]);
  for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
    const size = next.type < 0 ? -next.type : (fixedBytes[next.type] ?? 0);
    const step = steps.get(next.type);
    if (next.count === 0 || step === undefined) {
      if (next.type > type.dimensions) throw new RangeError(`There is no type ${next.type}.`);
      skip(size * next.count);
      open.pop();
      continue;
    }
    next.count -= 1;
    if (next.count === 0) open.pop();
    step();
  }
  return position;
}
