const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes as base64 text, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // In pieces, so that no string is built one character at a time for megabytes of weights.
  for (let start = 0; start < bytes.length; start += 3 * 8192) {
    let text = "";
    const end = Math.min(bytes.length, start + 3 * 8192);
    for (let i = start; i < end; i += 3) {
      const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      text += letter(word >> 18) + letter(word >> 12);
      text += i + 1 < end ? letter(word >> 6) : "=";
      text += i + 2 < end ? letter(word) : "=";
    }
    parts.push(text);
  }
  return parts.join("");
}

function letter(word: number): string {
  return ALPHABET.charAt(word & 63);
}

const VALUES: ReadonlyMap<number, number> = new Map([...ALPHABET].map((c, i) => [c.charCodeAt(0), i]));

/**
 * The bytes of base64 text.
 * @throws RangeError if it is not base64.
 */
export function decodeBase64(text: string): Uint8Array {
  const body = text.replace(/={0,2}$/, "");
  if (text.length % 4 !== 0 || body.length % 4 === 1) throw new RangeError("The text is not base64: its length is wrong.");
  const out = new Uint8Array(Math.floor((body.length * 3) / 4));
  let word = 0;
  let at = 0;
  for (let i = 0; i < body.length; i++) {
    const value = VALUES.get(body.charCodeAt(i));
    if (value === undefined) throw new RangeError(`The text is not base64: \`${body.charAt(i)}\` at ${i}.`);
    word = (word << 6) | value;
    if (i % 4 > 0) out[at++] = (word >> (6 - 2 * (i % 4))) & 255;
  }
  return out;
}
