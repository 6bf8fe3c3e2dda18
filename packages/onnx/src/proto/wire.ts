/**
 * The strings, bytes and messages in field `field` of a serialized message, in order. For messages that the package that
 * decodes onnx.proto does not know: those of onnx-data.proto, and newer fields.
 * @throws RangeError if the bytes are no message.
 */
export function lengthDelimited(bytes: Uint8Array, field: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const skip = (count: number): Uint8Array => {
    const piece = bytes.subarray(at, at + count);
    if (piece.length !== count) throw new RangeError("The bytes end within a field.");
    at += count;
    return piece;
  };
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = skip(1)[0] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    switch (key % 8) {
      case 0:
        varint();
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const piece = skip(varint());
        if (Math.floor(key / 8) === field) found.push(piece);
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new RangeError(`There is no wire type ${key % 8}.`);
    }
  }
  return found;
}
