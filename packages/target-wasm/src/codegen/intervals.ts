import type { Interval, Value } from "./value.ts";

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;

function fits(lo: number, hi: number): Interval | undefined {
  return lo >= MIN && hi <= MAX ? { lo, hi } : undefined;
}

/** What the result of an i32 instruction lies in, from what its operands lie in; undefined if nothing is known. */
export function intervalOf(op: string, args: readonly Value[]): Interval | undefined {
  if (/^i32\.(eqz|eq|ne|lt_|gt_|le_|ge_)|^[if]64\.(eqz|eq|ne|lt|gt|le|ge)|^f32\.(eq|ne|lt|gt|le|ge)$|any_true|all_true/.test(op)) return { lo: 0, hi: 1 };
  if (op === "i32.extend8_s" || op === "i8x16.extract_lane_s") return { lo: -128, hi: 127 };
  if (op === "i32.extend16_s" || op === "i16x8.extract_lane_s") return { lo: -32768, hi: 32767 };
  if (op === "i8x16.extract_lane_u") return { lo: 0, hi: 255 };
  if (op === "i32x4.add" || op === "i32x4.sub") return intervalOf(op === "i32x4.add" ? "i32.add" : "i32.sub", args);
  if (!op.startsWith("i32.")) return undefined;
  const a = args[0]?.range;
  const b = args[1]?.range;
  if (op === "i32.and") return intervalOfAnd(a, b);
  if (op === "i32.rem_u" && b !== undefined && b.lo > 0) return { lo: 0, hi: b.hi - 1 };
  if (op === "i32.rem_s" && b !== undefined && b.lo > 0) return { lo: a !== undefined && a.lo >= 0 ? 0 : 1 - b.hi, hi: b.hi - 1 };
  if (a === undefined || b === undefined) return undefined;
  switch (op) {
    case "i32.add":
      return fits(a.lo + b.lo, a.hi + b.hi);
    case "i32.sub":
      return fits(a.lo - b.hi, a.hi - b.lo);
    case "i32.mul": {
      const products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
      return fits(Math.min(...products), Math.max(...products));
    }
    case "i32.shl":
      return b.lo === b.hi && b.lo >= 0 && b.lo < 31 ? fits(a.lo * 2 ** b.lo, a.hi * 2 ** b.lo) : undefined;
    case "i32.shr_s":
      return b.lo === b.hi && b.lo >= 0 && b.lo < 32 ? { lo: a.lo >> b.lo, hi: a.hi >> b.lo } : undefined;
    case "i32.shr_u":
      return a.lo >= 0 && b.lo === b.hi && b.lo >= 0 && b.lo < 32 ? { lo: a.lo >> b.lo, hi: a.hi >> b.lo } : undefined;
    case "i32.div_s":
    case "i32.div_u":
      return a.lo >= 0 && b.lo > 0 ? { lo: Math.trunc(a.lo / b.hi), hi: Math.trunc(a.hi / b.lo) } : undefined;
    default:
      return undefined;
  }
}

function intervalOfAnd(a: Interval | undefined, b: Interval | undefined): Interval | undefined {
  const bounds = [a, b].filter((r) => r !== undefined && r.lo >= 0).map((r) => r?.hi ?? 0);
  return bounds.length === 0 ? undefined : { lo: 0, hi: Math.min(...bounds) };
}

/** What the four 32-bit lanes of a constant lie in. */
export function rangeOfLanes(bytes: Uint8Array): Interval {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lanes = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  return { lo: Math.min(...lanes), hi: Math.max(...lanes) };
}
