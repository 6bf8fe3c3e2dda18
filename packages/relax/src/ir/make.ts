import { at, type AttrMap, type GlobalVar, type Op, type Span, type VDevice } from "@verticil/ir-core";
import type { DType, ScalarDType, Tensor } from "@verticil/runtime-ffi";
import { constant, type PrimExpr } from "@verticil/tir";
import type {
  AnyBindingBlock,
  AnyVar,
  Binding,
  BindingBlock,
  Call,
  Constant,
  DataflowBlock,
  DataflowVar,
  DataTypeImm,
  Expr,
  ExternFunc,
  If,
  MatchCast,
  PrimValue,
  SeqExpr,
  ShapeExpr,
  StringImm,
  Tuple,
  TupleGetItem,
  Var,
  VarBinding,
} from "./expr.ts";
import type {
  DeviceMesh,
  DTensorStructInfo,
  FuncStructInfo,
  ObjectStructInfo,
  PrimStructInfo,
  ShapeStructInfo,
  StructInfo,
  TensorStructInfo,
  TupleStructInfo,
} from "./struct-info.ts";

/** A dimension: an int64 expression, or a plain number that becomes one. */
export type Dim = PrimExpr | number;

function dims(values: readonly Dim[]): readonly PrimExpr[] {
  return values.map((d) => (typeof d === "number" ? constant(d, "int64") : d));
}

export function makeObjectStructInfo(): ObjectStructInfo {
  return { kind: "relax.ObjectStructInfo" };
}

export function makePrimStructInfo(dtype: ScalarDType, value?: PrimExpr): PrimStructInfo {
  return { kind: "relax.PrimStructInfo", dtype, value };
}

/** The struct info of a shape: its values, or its number of dimensions (-1: unknown). */
export function makeShapeStructInfo(values: readonly Dim[] | number): ShapeStructInfo {
  return typeof values === "number"
    ? { kind: "relax.ShapeStructInfo", values: undefined, ndim: values }
    : { kind: "relax.ShapeStructInfo", values: dims(values), ndim: values.length };
}

/**
 * The struct info of a tensor. `shape` is a list of dimensions, a shape-valued variable, or the number of dimensions
 * (-1: unknown); `dtype` undefined is unknown.
 */
export function makeTensorStructInfo(
  shape: readonly Dim[] | Expr | number,
  dtype?: ScalarDType,
  vdevice?: VDevice,
): TensorStructInfo {
  if (typeof shape === "number") {
    return { kind: "relax.TensorStructInfo", shape: undefined, dtype, vdevice, ndim: shape };
  }
  const expr = isDimList(shape) ? makeShapeExpr(shape) : shape;
  return { kind: "relax.TensorStructInfo", shape: expr, dtype, vdevice, ndim: shapeNdim(expr) };
}

function isDimList(shape: readonly Dim[] | Expr): shape is readonly Dim[] {
  return Array.isArray(shape);
}

function shapeNdim(shape: Expr): number {
  if (shape.kind === "relax.ShapeExpr") return shape.values.length;
  const info = "structInfo" in shape ? shape.structInfo : undefined;
  return info?.kind === "relax.ShapeStructInfo" ? info.ndim : -1;
}

export function makeTupleStructInfo(fields: readonly StructInfo[]): TupleStructInfo {
  return { kind: "relax.TupleStructInfo", fields };
}

export function makeFuncStructInfo(
  params: readonly StructInfo[] | undefined,
  ret: StructInfo,
  opts: { readonly purity?: boolean; readonly deriveFunc?: string } = {},
): FuncStructInfo {
  return { kind: "relax.FuncStructInfo", params, ret, purity: opts.purity ?? true, deriveFunc: opts.deriveFunc };
}

/**
 * A grid of devices; `deviceIds` in row-major order.
 * @throws RangeError if the grid has another number of places than there are devices.
 */
export function makeDeviceMesh(shape: readonly number[], deviceIds: readonly number[]): DeviceMesh {
  const places = shape.reduce((a, b) => a * b, 1);
  if (places !== deviceIds.length) throw new RangeError(`A mesh of shape (${shape.join(", ")}) has ${places} devices, not ${deviceIds.length}.`);
  return { kind: "relax.distributed.DeviceMesh", shape, deviceIds };
}

/**
 * The struct info of a tensor on a mesh. `placement` has one entry for each dimension of the mesh: `"S[0], R"`.
 * @throws RangeError if it has not, or if it splits an axis that the tensor does not have.
 */
export function makeDTensorStructInfo(tensorInfo: TensorStructInfo, deviceMesh: DeviceMesh, placement: string): DTensorStructInfo {
  const axes = placementAxes(placement);
  if (axes.length !== deviceMesh.shape.length) {
    throw new RangeError(`The placement \`${placement}\` has ${axes.length} entries for a mesh of ${deviceMesh.shape.length} dimensions.`);
  }
  for (const axis of axes) {
    if (axis !== undefined && axis >= tensorInfo.ndim) throw new RangeError(`The placement \`${placement}\` splits axis ${axis} of a tensor of ${tensorInfo.ndim} dimensions.`);
  }
  const canonical = axes.map((axis) => (axis === undefined ? "R" : `S[${axis}]`)).join(", ");
  return { kind: "relax.DTensorStructInfo", tensorInfo, deviceMesh, placement: canonical };
}

/** The axis that each dimension of a mesh splits, undefined where it splits none. @throws RangeError for a text that says no such thing. */
export function placementAxes(placement: string): readonly (number | undefined)[] {
  return placement.split(",").map((part) => {
    const spec = part.replaceAll(" ", "");
    if (spec === "R") return undefined;
    const axis = /^S\[(\d+)\]$/.exec(spec)?.[1];
    if (axis === undefined) throw new RangeError(`\`${placement}\` is no placement. It is made of \`R\` and \`S[axis]\`, one for each dimension of the mesh.`);
    return Number(axis);
  });
}

export function makeVar(name: string, structInfo?: StructInfo, span?: Span): Var {
  return { kind: "relax.Var", name, structInfo, span };
}

export function makeDataflowVar(name: string, structInfo?: StructInfo, span?: Span): DataflowVar {
  return { kind: "relax.DataflowVar", name, structInfo, span };
}

/** A constant tensor; its struct info is the tensor's shape and dtype. */
export function makeConstant(data: Tensor, span?: Span): Constant {
  return { kind: "relax.Constant", data, structInfo: makeTensorStructInfo(data.shape, data.dtype), span };
}

/** A tuple; its struct info follows if that of every field is known. */
export function makeTuple(fields: readonly Expr[], span?: Span): Tuple {
  const infos = fields.map((f) => ("structInfo" in f ? f.structInfo : undefined));
  const structInfo = infos.every((i) => i !== undefined) ? makeTupleStructInfo(infos) : undefined;
  return { kind: "relax.Tuple", fields, structInfo, span };
}

export function makeTupleGetItem(tuple: Expr, index: number, span?: Span): TupleGetItem {
  const info = "structInfo" in tuple ? tuple.structInfo : undefined;
  const structInfo = info?.kind === "relax.TupleStructInfo" ? info.fields[index] : undefined;
  return { kind: "relax.TupleGetItem", tuple, index, structInfo, span };
}

export function makeShapeExpr(values: readonly Dim[], span?: Span): ShapeExpr {
  const list = dims(values);
  return {
    kind: "relax.ShapeExpr",
    values: list,
    structInfo: { kind: "relax.ShapeStructInfo", values: list, ndim: list.length },
    span,
  };
}

/** A scalar as a value; a plain number is an int64. */
export function makePrimValue(value: PrimExpr | number, span?: Span): PrimValue {
  const expr = typeof value === "number" ? constant(value, "int64") : value;
  return { kind: "relax.PrimValue", value: expr, structInfo: makePrimStructInfo(scalarDType(expr.dtype), expr), span };
}

function scalarDType(dtype: DType): ScalarDType {
  return dtype as ScalarDType;
}

export function makeStringImm(value: string, span?: Span): StringImm {
  return { kind: "relax.StringImm", value, structInfo: makeObjectStructInfo(), span };
}

export function makeDataTypeImm(value: DType, span?: Span): DataTypeImm {
  return { kind: "relax.DataTypeImm", value, structInfo: makeObjectStructInfo(), span };
}

/** What a call may be told beyond callee and arguments. */
export interface CallOptions {
  readonly attrs?: AttrMap;
  readonly sinfoArgs?: readonly StructInfo[];
  readonly structInfo?: StructInfo | undefined;
  readonly span?: Span | undefined;
}

/** A call, not normalized: struct info comes from the block builder unless given. */
export function makeCall(op: Op | GlobalVar | Expr, args: readonly Expr[], opts: CallOptions = {}): Call {
  return {
    kind: "relax.Call",
    op,
    args,
    attrs: opts.attrs ?? {},
    sinfoArgs: opts.sinfoArgs ?? [],
    structInfo: opts.structInfo,
    span: opts.span,
  };
}

export function makeIf(cond: Expr, trueBranch: Expr, falseBranch: Expr, structInfo?: StructInfo, span?: Span): If {
  return { kind: "relax.If", cond, trueBranch, falseBranch, structInfo, span };
}

export function makeSeqExpr(blocks: readonly AnyBindingBlock[], body: Expr, span?: Span): SeqExpr {
  return { kind: "relax.SeqExpr", blocks, body, structInfo: "structInfo" in body ? body.structInfo : undefined, span };
}

export function makeVarBinding(v: AnyVar, value: Expr, span?: Span): VarBinding {
  return { kind: "relax.VarBinding", var: v, value, span };
}

export function makeMatchCast(v: AnyVar, value: Expr, structInfo: StructInfo, span?: Span): MatchCast {
  return { kind: "relax.MatchCast", var: v, value, structInfo, span };
}

export function makeBindingBlock(bindings: readonly Binding[], span?: Span): BindingBlock {
  return { kind: "relax.BindingBlock", bindings, span };
}

export function makeDataflowBlock(bindings: readonly Binding[], span?: Span): DataflowBlock {
  return { kind: "relax.DataflowBlock", bindings, span };
}

/** A function of the runtime. Without struct info nothing is known of it, and it may have effects. */
export function makeExternFunc(globalSymbol: string, structInfo: StructInfo = UNKNOWN_FUNCTION, span?: Span): ExternFunc {
  return { kind: "relax.ExternFunc", globalSymbol, attrs: { global_symbol: globalSymbol }, structInfo, span };
}

const UNKNOWN_FUNCTION: StructInfo = /* @__PURE__ */ makeFuncStructInfo(undefined, makeObjectStructInfo(), { purity: false });

/** The dimensions of a tensor whose shape is known, as expressions; undefined if it is not. */
export function shapeOf(info: StructInfo | undefined): readonly PrimExpr[] | undefined {
  if (info?.kind === "relax.ShapeStructInfo") return info.values;
  if (info?.kind !== "relax.TensorStructInfo") return undefined;
  if (info.shape?.kind === "relax.ShapeExpr") return info.shape.values;
  const inner = info.shape !== undefined && "structInfo" in info.shape ? info.shape.structInfo : undefined;
  return inner?.kind === "relax.ShapeStructInfo" ? inner.values : undefined;
}

/** The dimensions of a tensor as plain numbers; undefined if any is symbolic or unknown. */
export function staticShapeOf(info: StructInfo | undefined): readonly number[] | undefined {
  const values = shapeOf(info);
  if (values === undefined) return undefined;
  const out: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const v = at(values, i);
    if (v.kind !== "ir.IntImm" || typeof v.value !== "number") return undefined;
    out.push(v.value);
  }
  return out;
}
