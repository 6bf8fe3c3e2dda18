import { makeFloatImm, makeIntImm } from "@verticil/ir-core";
import { floatToHalf, halfToFloat, isFloat, parseDType, type DType } from "@verticil/runtime-ffi";
import { maxFloat, minFloat } from "./float-extrema.ts";
import type { ArithKind, CompareKind, PrimExpr } from "./expr.ts";

type Int = number | bigint;

/** The value of an integer operation in unbounded arithmetic, or undefined where it has none. */
function integerResult(kind: ArithKind, a: Int, b: Int): Int | undefined {
  const x = BigInt(a);
  const y = BigInt(b);
  switch (kind) {
    case "tir.Add":
      return x + y;
    case "tir.Sub":
      return x - y;
    case "tir.Mul":
      return x * y;
    case "tir.Div":
      return y === 0n ? undefined : x / y;
    case "tir.Mod":
      return y === 0n ? undefined : x % y;
    case "tir.FloorDiv":
      return y === 0n ? undefined : floorDivBig(x, y);
    case "tir.FloorMod":
      return y === 0n ? undefined : x - floorDivBig(x, y) * y;
    case "tir.Min":
      return x < y ? x : y;
    case "tir.Max":
      return x > y ? x : y;
  }
}

function floorDivBig(x: bigint, y: bigint): bigint {
  const q = x / y;
  return q * y !== x && x < 0n !== y < 0n ? q - 1n : q;
}

/** Safe for plain numbers below 2^26 either side, where no product leaves 2^53. */
function smallResult(kind: ArithKind, a: number, b: number): number | undefined {
  switch (kind) {
    case "tir.Add":
      return a + b;
    case "tir.Sub":
      return a - b;
    case "tir.Mul":
      return a * b;
    case "tir.Div":
      return b === 0 ? undefined : Math.trunc(a / b);
    case "tir.Mod":
      return b === 0 ? undefined : a % b;
    case "tir.FloorDiv":
      return b === 0 ? undefined : Math.floor(a / b);
    case "tir.FloorMod":
      return b === 0 ? undefined : a - Math.floor(a / b) * b;
    case "tir.Min":
      return Math.min(a, b);
    case "tir.Max":
      return Math.max(a, b);
  }
}

const SMALL = 2 ** 26;

/** Constants wrap around as the machine does, so that folding never changes what a program computes. */
export function wrapInteger(value: Int, dtype: DType): Int {
  const { code, bits } = parseDType(dtype);
  if (code === "bool") return value === 0 || value === 0n ? 0 : 1;
  if (typeof value === "number" && bits >= 32 && code === "int" && Math.abs(value) < 2 ** 31) return value;
  return code === "uint" ? BigInt.asUintN(bits, BigInt(value)) : BigInt.asIntN(bits, BigInt(value));
}

function floatResult(kind: ArithKind, a: number, b: number): number | undefined {
  switch (kind) {
    case "tir.Add":
      return a + b;
    case "tir.Sub":
      return a - b;
    case "tir.Mul":
      return a * b;
    case "tir.Div":
      return b === 0 ? undefined : a / b;
    case "tir.Min":
      return minFloat(a, b);
    case "tir.Max":
      return maxFloat(a, b);
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
      return undefined;
  }
}

const foldedFloats: ReadonlySet<DType> = new Set<DType>(["float16", "float32", "float64"]);

/**
 * The folded form of an arithmetic operation: two constants, or an identity (`x + 0`, `x * 1`, `x * 0` of integers,
 * `x // 1`, `0 // x`, …). Undefined if it does not fold. Division by a constant zero is left as it is.
 */
export function foldArith(kind: ArithKind, a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
  if (a.kind === "ir.IntImm" && b.kind === "ir.IntImm") {
    const small =
      typeof a.value === "number" && typeof b.value === "number" && Math.abs(a.value) < SMALL && Math.abs(b.value) < SMALL;
    const value = small ? smallResult(kind, Number(a.value), Number(b.value)) : integerResult(kind, a.value, b.value);
    return value === undefined ? undefined : makeIntImm(wrapInteger(value, a.dtype), a.dtype);
  }
  if (a.kind === "ir.FloatImm" && b.kind === "ir.FloatImm") {
    const value = foldedFloats.has(a.dtype) ? floatResult(kind, a.value, b.value) : undefined;
    if (value === undefined) return undefined;
    // The result of two half floats in double precision is rounded once more without error.
    return makeFloatImm(a.dtype === "float16" ? halfToFloat(floatToHalf(value)) : value, a.dtype);
  }
  return foldIdentity(kind, a, b);
}

function foldIdentity(kind: ArithKind, a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
  const x = constantValue(a);
  const y = constantValue(b);
  switch (kind) {
    case "tir.Add":
      return x === 0 ? b : y === 0 ? a : undefined;
    case "tir.Sub":
      return y === 0 ? a : undefined;
    case "tir.Mul":
      if (x === 1) return b;
      if (y === 1) return a;
      // Zero times NaN is NaN: only integers.
      if (isFloat(a.dtype)) return undefined;
      return x === 0 ? a : y === 0 ? b : undefined;
    case "tir.Div":
    case "tir.FloorDiv":
      if (y === 1) return a;
      return x === 0 && !isFloat(a.dtype) && y !== 0 ? a : undefined;
    case "tir.Mod":
    case "tir.FloorMod":
      if (isFloat(a.dtype)) return undefined;
      if (y === 1) return makeIntImmLike(0, a);
      return x === 0 && y !== 0 ? a : undefined;
    case "tir.Min":
    case "tir.Max":
      return a === b ? a : undefined;
  }
}

function makeIntImmLike(value: number, like: PrimExpr): PrimExpr | undefined {
  return parseDType(like.dtype).lanes === 1 ? makeIntImm(value, like.dtype) : undefined;
}

function constantValue(e: PrimExpr): Int | undefined {
  return e.kind === "ir.IntImm" || e.kind === "ir.FloatImm" ? e.value : undefined;
}

/** A comparison of two constants, folded; undefined for anything else. */
export function foldCompare(kind: CompareKind, a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
  const x = constantValue(a);
  const y = constantValue(b);
  if (x === undefined || y === undefined) return undefined;
  return makeIntImm(compareValues(kind, x, y) ? 1 : 0, "bool");
}

function compareValues(kind: CompareKind, x: Int, y: Int): boolean {
  switch (kind) {
    case "tir.EQ":
      return x === y;
    case "tir.NE":
      return x !== y;
    case "tir.LT":
      return x < y;
    case "tir.LE":
      return x <= y;
    case "tir.GT":
      return x > y;
    case "tir.GE":
      return x >= y;
  }
}
