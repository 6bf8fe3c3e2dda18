import { at } from "@verticil/ir-core";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "./buffer.ts";
import type { AnyVar, BinaryExpr, PrimExpr, Var } from "./expr.ts";
import { foldArith, foldCompare } from "./fold-constants.ts";
import { isBinary } from "./make-expr.ts";
import { and, cast, not, or } from "./ops.ts";
import type { PrimFunc } from "./stmt.ts";
import { substituting } from "./substitute.ts";

/**
 * The program for some of its parameters only: a scalar parameter gets a value and goes away; a tensor parameter gets a
 * buffer whose shape, strides and offset are those that the variables of its own stand for. What becomes constant is
 * folded. Gives back `func` itself if nothing changed (upstream's `PrimFunc.specialize`).
 * @throws TypeError where a size that is no variable of its own should become another.
 * @throws RangeError for a parameter that the function does not have or not as such, for other numbers of dimensions, and
 * for two values of one variable.
 */
export function specialize(func: PrimFunc, params: ReadonlyMap<Var, Buffer | PrimExpr>): PrimFunc {
  const values = new Map<AnyVar, PrimExpr>();
  for (const [param, value] of params) {
    if (!func.params.includes(param)) throw new RangeError(`\`${param.name}\` is no parameter of the program.`);
    const own = func.bufferMap.get(param);
    if (value.kind === "tir.Buffer") {
      if (own === undefined) throw new RangeError(`The parameter \`${param.name}\` is no tensor.`);
      matchBuffer(own, value, values);
    } else {
      if (own !== undefined) throw new RangeError(`The parameter \`${param.name}\` is a tensor, which takes a buffer and no value.`);
      values.set(param, value);
    }
  }
  return withValues(func, values);
}

/**
 * The program with variables of its signature replaced, at every mention, and folded where something becomes constant.
 * Parameters among them go away.
 */
export function withValues(func: PrimFunc, values: ReadonlyMap<AnyVar, PrimExpr>): PrimFunc {
  if (values.size === 0) return func;
  const mapper = substituting((v) => values.get(v), new Map(), refold);
  const bufferMap = new Map([...func.bufferMap].map(([param, buffer]) => [param, mapper.buffer(buffer)]));
  const params = func.params.filter((p) => !values.has(p));
  const body = mapper.stmt(func.body);
  const same = body === func.body && params.length === func.params.length && [...bufferMap].every(([p, b]) => func.bufferMap.get(p) === b);
  return same ? func : { ...func, params, bufferMap, body };
}

function matchBuffer(own: Buffer, given: Buffer, values: Map<AnyVar, PrimExpr>): void {
  if (own.shape.length !== given.shape.length || own.strides.length !== given.strides.length) {
    throw new RangeError(`\`${own.name}\` has ${own.shape.length} dimensions and ${own.strides.length} strides, not ${given.shape.length} and ${given.strides.length}.`);
  }
  own.shape.forEach((dim, i) => bind(own, dim, at(given.shape, i), values));
  own.strides.forEach((stride, i) => bind(own, stride, at(given.strides, i), values));
  if (own.elemOffset !== undefined && given.elemOffset !== undefined) bind(own, own.elemOffset, given.elemOffset, values);
}

function bind(buffer: Buffer, own: PrimExpr, given: PrimExpr, values: Map<AnyVar, PrimExpr>): void {
  if (exprDeepEqual(own, given)) return;
  if (own.kind !== "tir.Var" && own.kind !== "tir.SizeVar") throw new TypeError(`A size of \`${buffer.name}\` is no variable of its own, and cannot become another.`);
  const known = values.get(own);
  if (known !== undefined && !exprDeepEqual(known, given)) throw new RangeError(`\`${own.name}\` in the shape of \`${buffer.name}\` cannot have two values.`);
  values.set(own, given);
}

function refold(e: PrimExpr): PrimExpr {
  if (e.kind === "tir.Not") return not(e.a);
  if (e.kind === "tir.Cast") return cast(e.dtype, e.value);
  return isBinary(e) ? refoldBinary(e) : e;
}

function refoldBinary(e: BinaryExpr): PrimExpr {
  switch (e.kind) {
    case "tir.And":
      return and(e.a, e.b);
    case "tir.Or":
      return or(e.a, e.b);
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
      return foldCompare(e.kind, e.a, e.b) ?? e;
    default:
      return foldArith(e.kind, e.a, e.b) ?? e;
  }
}
