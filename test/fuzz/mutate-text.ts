import type { Random } from "./random.ts";

const WORDS = [
  "T", "R", "I", ".", ",", ":", "=", "(", ")", "[", "]", "{", "}", "+", "-", "*", "//", "%", "<", "==", "not", "and", "lambda", "for", "in",
  "if", "else", "with", "as", "def", "class", "return", "assert", "None", "True", "x", "A", "0", "1", "-1", "1e400", "0x", "9999999999999999999",
  '"s"', '"', "'''", "\\", "#", "\n", "\n    ", "\t", "@", "...", "T.grid", "T.block", "T.axis.remap", "T.int64", "T.Buffer", "T.Ramp", "T.float32",
  "R.Tensor", "R.call_tir", "range", "[0]", "()", "=None", ": T.int32 = ", "\u0000", "\ud800", "é", "T.Broadcast(1, 1000000000)", "2 ** 4000",
];

/** Words, numbers, strings, line breaks with their indentation, and single signs. */
function tokens(text: string): string[] {
  return text.match(/\n[ \t]*|\w+|"[^"\n]*"|[^\w\s]|[ \t]+/g) ?? [];
}

/** `text` after one to a few edits: parts left out, doubled, exchanged, replaced, moved, or cut off. */
export function mutateText(text: string, others: readonly string[], random: Random): string {
  let parts = tokens(text);
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(parts.length + 1);
    const length = 1 + random.below(random.below(8) === 0 ? 40 : 3);
    switch (random.below(8)) {
      case 0:
        parts.splice(at, length);
        break;
      case 1:
        parts.splice(at, 0, ...parts.slice(at, at + length));
        break;
      case 2:
        parts.splice(at, 0, random.pick(WORDS));
        break;
      case 3:
        parts.splice(at, 1, random.pick(WORDS));
        break;
      case 4: {
        const moved = parts.splice(at, length);
        parts.splice(random.below(parts.length + 1), 0, ...moved);
        break;
      }
      case 5: {
        const other = tokens(random.pick(others));
        const from = random.below(other.length);
        parts.splice(at, length, ...other.slice(from, from + length));
        break;
      }
      case 6:
        parts = parts.slice(0, at);
        break;
      default:
        parts.splice(at, 1, `${parts[random.below(Math.max(1, parts.length))] ?? ""}`);
    }
  }
  return parts.join("");
}

/** Up to 200 random bytes, read as UTF-8 as a file would be, or as Latin-1, so that all of them reach the reader. */
export function randomBytes(random: Random): string {
  const bytes = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
  return random.below(2) === 0 ? new TextDecoder().decode(bytes) : String.fromCharCode(...bytes);
}

/** Up to 50 signs and words of the language, in any order. */
export function randomWords(random: Random): string {
  let text = "";
  for (let left = random.below(50); left > 0; left--) text += random.pick(WORDS) + (random.below(3) === 0 ? " " : "");
  return text;
}
