import { isNode, makeFloatImm, makeIntImm } from "@verticil/ir-core";
import { isDType, isFloat, isInteger, lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import { describeValue, isInt, isList, ScriptFloat, ScriptSlice, type ScriptValue, type Site } from "@verticil/tvmscript";
import { Analyzer } from "../arith/analyzer.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeBufferLoad, makeRamp, makeRange, makeStringImm } from "../ir/make-expr.ts";
import { makeBufferRegion } from "../ir/make-stmt.ts";
import { add, constant, floorDiv, isConstInt, laneCount, lanesFromExpr, sub } from "../ir/ops.ts";
import { isPrimExpr } from "./result-dtype.ts";
import { MetaValue, SliceValue, type SliceIndex } from "./values.ts";

/** The value as an expression. Plain integers are int32 (int64 beyond), plain floats float32. */
export function toExpr(value: ScriptValue, site: Site, like?: DType): PrimExpr {
  if (isNode(value)) {
    if (isPrimExpr(value)) return value;
    if (value.kind === "tir.IterVar" && "var" in value && isNode(value.var) && isPrimExpr(value.var)) return value.var;
    return site.fail(`Expected an expression, found ${describeValue(value)}.`);
  }
  if (isInt(value)) {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) return site.fail("No type holds this number: it has more than 64 bits.");
    if (like !== undefined) return constant(value, like);
    return makeIntImm(value, fitsInt32(value) ? "int32" : "int64", site.span);
  }
  if (typeof value === "boolean") return makeIntImm(value ? 1 : 0, "bool", site.span);
  if (value instanceof ScriptFloat) {
    return like !== undefined && isFloat(like) ? constant(value.value, like) : makeFloatImm(value.value, "float32", site.span);
  }
  if (typeof value === "string") return makeStringImm(value, site.span);
  if (value instanceof MetaValue) return toExpr(value.value, site, like);
  if (value instanceof SliceValue) {
    const indices = value.indices.map((i) => rampIndex(i, site));
    checkVectorIndex(indices, site);
    return makeBufferLoad(value.buffer, indices, undefined, site.span);
  }
  return site.fail(`Expected an expression, found ${describeValue(value)}.`);
}

function fitsInt32(value: number | bigint): boolean {
  return value >= -2147483648 && value <= 2147483647;
}

/** Two operands; a plain number takes the scalar type of its neighbour, and two plain integers that of the function's. */
export function toOperands(a: ScriptValue, b: ScriptValue, site: Site): readonly [PrimExpr, PrimExpr] {
  const { plainInt } = site.ctx;
  if (isInt(a) && isInt(b) && plainInt !== "int32" && isDType(plainInt)) return [toExpr(a, site, plainInt), toExpr(b, site, plainInt)];
  const x = isPlain(a) ? undefined : toExpr(a, site);
  const y = isPlain(b) ? undefined : toExpr(b, site);
  return [x ?? toExpr(a, site, numberType(a, y)), y ?? toExpr(b, site, numberType(b, x))];
}

function isPlain(v: ScriptValue): boolean {
  return isInt(v) || v instanceof ScriptFloat;
}

function numberType(value: ScriptValue, other: PrimExpr | undefined): DType | undefined {
  if (other === undefined) return undefined;
  const scalar = scalarOf(other.dtype);
  if (scalar === "handle" || scalar === "bool" || scalar === "void") return undefined;
  return value instanceof ScriptFloat && !isFloat(scalar) ? undefined : scalar;
}

/** A whole number, as extents and bounds are. */
export function toIndex(value: ScriptValue, site: Site): PrimExpr {
  const e = toExpr(value, site);
  return isInteger(e.dtype) ? e : site.fail(`Expected a whole number, found a value of type ${e.dtype}.`);
}

export function toExprs(value: ScriptValue, site: Site): PrimExpr[] {
  const list = isList(value) ? value : [value];
  return list.map((v) => toExpr(v, site));
}

export function toDType(value: ScriptValue, site: Site): DType {
  if (typeof value === "string") {
    if (value === "") return "void";
    if (isDType(value)) return value;
    return site.fail(`\`${value}\` is not a data type.`);
  }
  return site.fail(`Expected a data type, found ${describeValue(value)}.`);
}

export function toText(value: ScriptValue, site: Site): string {
  if (typeof value === "string") return value;
  if (isNode(value) && value.kind === "tir.StringImm" && "value" in value) return String(value.value);
  return site.fail(`Expected a string, found ${describeValue(value)}.`);
}

/** The lanes of a vector, negative for a multiple of `T.vscale()`. */
export function toLanes(value: ScriptValue, site: Site): number {
  const lanes = isNode(value) && isPrimExpr(value) ? lanesFromExpr(value) : toCount(value, site);
  return lanes ?? site.fail("The lanes of a vector are a plain number, or a multiple of `T.vscale()`.");
}

export function toCount(value: ScriptValue, site: Site): number {
  if (isInt(value)) return Number(value);
  if (isNode(value) && value.kind === "ir.IntImm" && "value" in value) return Number(value.value);
  return site.fail(`Expected a plain integer, found ${describeValue(value)}.`);
}

export function toVar(value: ScriptValue, site: Site): AnyVar {
  if (isNode(value) && isPrimExpr(value) && (value.kind === "tir.Var" || value.kind === "tir.SizeVar")) return value;
  return site.fail(`Expected a variable, found ${describeValue(value)}.`);
}

export function isBuffer(value: ScriptValue): value is Buffer {
  return isNode(value) && value.kind === "tir.Buffer";
}

export function toBuffer(value: ScriptValue, site: Site): Buffer {
  return isBuffer(value) ? value : site.fail(`Expected a buffer, found ${describeValue(value)}.`);
}

/**
 * `stop - start`. What the printer wrote as `start + x` gives back `x` as it was; other differences are simplified,
 * as upstream does.
 */
export function difference(stop: PrimExpr, start: PrimExpr): PrimExpr {
  if (isConstInt(start, 0)) return stop;
  if (stop.kind === "tir.Add" && exprDeepEqual(stop.a, start)) return stop.b;
  const raw = sub(stop, start);
  return raw.kind === "ir.IntImm" ? raw : new Analyzer().simplify(raw);
}

/** The half-open interval from `start` to `stop`; a plain zero takes the type of the other end. */
export function rangeFromTo(start: ScriptValue, stop: ScriptValue, site: Site): Range {
  const [min, max] = toOperands(start, stop, site);
  return makeRange(min, difference(max, min), site.span);
}

/** The interval `[0, extent)`. */
export function rangeOf(extent: PrimExpr): Range {
  return makeRange(constant(0, scalarOf(extent.dtype)), extent);
}

/** The indices of an access, slices taken apart. */
export function toIndices(buffer: Buffer, indices: readonly ScriptValue[], site: Site): SliceIndex[] {
  return indices.map((i, dim) => {
    if (!(i instanceof ScriptSlice)) return toExpr(i, site);
    const size = buffer.shape[dim];
    if (size === undefined) return site.fail(`Buffer \`${buffer.name}\` has ${buffer.shape.length} dimensions.`);
    const [start, stop] = toOperands(i.lower ?? 0, i.upper ?? size, site);
    return { start, stop, step: i.step === null ? undefined : toExpr(i.step, site, start.dtype) };
  });
}

function rampIndex(i: SliceIndex, site: Site): PrimExpr {
  if (!("start" in i)) return i;
  const extent = difference(i.stop, i.start);
  const step = i.step ?? constant(1, i.start.dtype);
  const lanes = isConstInt(step, 1) ? extent : floorDiv(sub(add(extent, step), constant(1, step.dtype)), step);
  const count = lanesFromExpr(lanes) ?? lanesFromExpr(new Analyzer().simplify(lanes));
  if (count === undefined || count === 0) return site.fail("A slice in an expression needs a constant number of elements.");
  return count === 1 ? i.start : makeRamp(i.start, step, count, site.span);
}

/** An access: an element, or a part if there is a slice. */
export function toAccess(buffer: Buffer, indices: readonly ScriptValue[], site: Site): ScriptValue {
  const list = toIndices(buffer, indices, site);
  const plain = list.filter((i): i is PrimExpr => !("start" in i));
  if (plain.length < list.length) return new SliceValue(buffer, list);
  checkVectorIndex(plain, site);
  return makeBufferLoad(buffer, plain, undefined, site.span);
}

/** The indices of a store. */
export function toStoreIndices(buffer: Buffer, indices: readonly ScriptValue[], site: Site): PrimExpr[] {
  const list = toIndices(buffer, indices, site).map((i) => rampIndex(i, site));
  checkVectorIndex(list, site);
  return list;
}

/** Several elements lie side by side: only the last index may be a vector. */
function checkVectorIndex(indices: readonly PrimExpr[], site: Site): void {
  if (indices.slice(0, -1).some((i) => lanesOf(i.dtype) !== 1)) site.fail("Only the last index of an access may have several values.");
}

/** A region: a part of a buffer, one element, or a whole buffer. */
export function toRegion(value: ScriptValue, site: Site): BufferRegion {
  if (value instanceof SliceValue) {
    const ranges = value.indices.map((i) => {
      if ("start" in i) return makeRange(i.start, difference(i.stop, i.start));
      return makeRange(i, constant(1, scalarOf(i.dtype)));
    });
    return makeBufferRegion(value.buffer, ranges, site.span);
  }
  if (isBuffer(value)) return makeBufferRegion(value, value.shape.map((d) => rangeOf(d)), site.span);
  if (isNode(value) && isPrimExpr(value) && value.kind === "tir.BufferLoad") {
    const ranges = value.indices.map((i) => (i.kind === "tir.Ramp" ? makeRange(i.base, laneCount(i.lanes, i.base.dtype)) : makeRange(i, constant(1, scalarOf(i.dtype)))));
    return makeBufferRegion(value.buffer, ranges, site.span);
  }
  return site.fail(`Expected a part of a buffer, found ${describeValue(value)}.`);
}
