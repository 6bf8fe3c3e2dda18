import type { PrimExpr } from "@verticil/tir";
import {
  makeFuncStructInfo,
  makeObjectStructInfo,
  makePrimStructInfo,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTupleStructInfo,
} from "../ir/make.ts";
import type { InferContext } from "../ir/op-def.ts";
import { sameStructInfo } from "../ir/same-struct-info.ts";
import type { FuncStructInfo, StructInfo, TensorStructInfo } from "../ir/struct-info.ts";

/** The most that is true of both: what is known of a value that is one or the other; upstream's `StructInfoLCA`. */
export function structInfoLca(a: StructInfo, b: StructInfo, ctx: InferContext): StructInfo {
  if (a === b || sameStructInfo(a, b)) return a;
  switch (a.kind) {
    case "relax.ObjectStructInfo":
      return a;
    case "relax.PrimStructInfo":
      // Equal ones were found above; what differs is the value or the type.
      if (b.kind !== "relax.PrimStructInfo" || a.dtype !== b.dtype) return makeObjectStructInfo();
      return a.value !== undefined && b.value !== undefined && ctx.proveEqual(a.value, b.value) ? a : makePrimStructInfo(a.dtype);
    case "relax.ShapeStructInfo":
      if (b.kind !== "relax.ShapeStructInfo") return makeObjectStructInfo();
      if (a.values !== undefined && b.values !== undefined && sameDims(a.values, b.values, ctx)) return a;
      return makeShapeStructInfo(a.ndim === b.ndim ? a.ndim : -1);
    case "relax.TensorStructInfo":
      return b.kind === "relax.TensorStructInfo" ? tensorLca(a, b, ctx) : makeObjectStructInfo();
    case "relax.DTensorStructInfo":
      return makeObjectStructInfo();
    case "relax.TupleStructInfo":
      if (b.kind !== "relax.TupleStructInfo" || a.fields.length !== b.fields.length) return makeObjectStructInfo();
      return makeTupleStructInfo(a.fields.map((f, i) => structInfoLca(f, b.fields[i] ?? f, ctx)));
    case "relax.FuncStructInfo":
      return b.kind === "relax.FuncStructInfo" ? functionLca(a, b, ctx) : makeObjectStructInfo();
  }
}

function sameDims(a: readonly PrimExpr[], b: readonly PrimExpr[], ctx: InferContext): boolean {
  return a.length === b.length && a.every((d, i) => ctx.proveEqual(d, b[i] ?? d));
}

function tensorLca(a: TensorStructInfo, b: TensorStructInfo, ctx: InferContext): TensorStructInfo {
  const dtype = a.dtype === b.dtype ? a.dtype : undefined;
  const vdevice = a.vdevice === b.vdevice ? a.vdevice : undefined;
  const [x, y] = [a.shape, b.shape];
  const isSame = x !== undefined && y !== undefined && (x === y || (x.kind === "relax.ShapeExpr" && y.kind === "relax.ShapeExpr" && sameDims(x.values, y.values, ctx)));
  return makeTensorStructInfo(isSame ? x : a.ndim === b.ndim ? a.ndim : -1, dtype, vdevice);
}

/** Functions that differ in their parameters have no parameters in common: such a function cannot be called. */
function functionLca(a: FuncStructInfo, b: FuncStructInfo, ctx: InferContext): StructInfo {
  const purity = a.purity && b.purity;
  const ret = structInfoLca(a.ret, b.ret, ctx);
  const [x, y] = [a.params, b.params];
  if (x === undefined && y === undefined) {
    return makeFuncStructInfo(undefined, ret, { purity, ...(a.deriveFunc !== undefined && a.deriveFunc === b.deriveFunc ? { deriveFunc: a.deriveFunc } : {}) });
  }
  const isSame = x !== undefined && y !== undefined && x.length === y.length && x.every((p, i) => sameStructInfo(p, y[i] ?? p));
  return makeFuncStructInfo(isSame ? x : undefined, ret, { purity });
}
