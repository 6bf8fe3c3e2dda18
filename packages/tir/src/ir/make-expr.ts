import { makeIntImm, type GlobalVar, type Node, type Op, type PointerType, type PrimType, type Span } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "./buffer.ts";
import type {
  AnyVar,
  BinaryExpr,
  BinaryKind,
  Broadcast,
  BufferLoad,
  Call,
  Cast,
  CommReducer,
  IterVar,
  IterVarType,
  Let,
  Not,
  PrimExpr,
  ProducerLoad,
  Ramp,
  Range,
  Reduce,
  Select,
  Shuffle,
  SizeVar,
  StringImm,
  Var,
} from "./expr.ts";

// Factories make nodes as they are told: no folding, no promotion. `ops.ts` has the operators that fold.

export function makeVar(name: string, dtype: DType = "int32", typeAnnotation?: PointerType | PrimType, span?: Span): Var {
  return { kind: "tir.Var", name, dtype, typeAnnotation, span };
}

export function makeSizeVar(name: string, dtype: DType = "int32", span?: Span): SizeVar {
  return { kind: "tir.SizeVar", name, dtype, typeAnnotation: undefined, span };
}

/** A new variable like `v` under another name. */
export function renameVar<V extends AnyVar>(v: V, name: string): V {
  return { ...v, name };
}

export function makeStringImm(value: string, span?: Span): StringImm {
  return { kind: "tir.StringImm", dtype: "handle", value, span };
}

export function makeCast(dtype: DType, value: PrimExpr, span?: Span): Cast {
  return { kind: "tir.Cast", dtype, value, span };
}

const RESULT: { readonly [K in BinaryKind]: "operand" | "bool" } = {
  "tir.Add": "operand",
  "tir.Sub": "operand",
  "tir.Mul": "operand",
  "tir.Div": "operand",
  "tir.Mod": "operand",
  "tir.FloorDiv": "operand",
  "tir.FloorMod": "operand",
  "tir.Min": "operand",
  "tir.Max": "operand",
  "tir.EQ": "bool",
  "tir.NE": "bool",
  "tir.LT": "bool",
  "tir.LE": "bool",
  "tir.GT": "bool",
  "tir.GE": "bool",
  "tir.And": "bool",
  "tir.Or": "bool",
};

/** All kinds of binary expression. */
export const binaryKinds: readonly BinaryKind[] = Object.keys(RESULT) as BinaryKind[];

const binaryKindNames: ReadonlySet<string> = new Set(binaryKinds);

/** True for the 17 kinds with operands `a` and `b`. */
export function isBinary(e: Node): e is BinaryExpr {
  return binaryKindNames.has(e.kind);
}

/**
 * A binary expression as it stands.
 * @throws TypeError if the operands' types differ (upstream checks the same).
 */
export function makeBinary<K extends BinaryKind>(
  kind: K,
  a: PrimExpr,
  b: PrimExpr,
  span?: Span,
): Extract<BinaryExpr, { readonly kind: K }> {
  if (a.dtype !== b.dtype) throw new TypeError(`\`${kind}\` takes two operands of one type, not ${a.dtype} and ${b.dtype}.`);
  const dtype = RESULT[kind] === "bool" ? truthOf(a.dtype) : a.dtype;
  const node: { kind: BinaryKind; dtype: DType; a: PrimExpr; b: PrimExpr; span: Span | undefined } = { kind, dtype, a, b, span };
  return node as Extract<BinaryExpr, { readonly kind: K }>;
}

/** The type of a comparison of two values of a type. */
function truthOf(dtype: DType): DType {
  return dtype === "int32" || dtype === "int64" || dtype === "bool" ? "bool" : withLanes("bool", lanesOf(dtype));
}

export function makeNot(a: PrimExpr, span?: Span): Not {
  return { kind: "tir.Not", dtype: a.dtype, a, span };
}

/** @throws TypeError if the values' types differ. */
export function makeSelect(condition: PrimExpr, trueValue: PrimExpr, falseValue: PrimExpr, span?: Span): Select {
  if (trueValue.dtype !== falseValue.dtype) {
    throw new TypeError(`\`Select\` takes two values of one type, not ${trueValue.dtype} and ${falseValue.dtype}.`);
  }
  return { kind: "tir.Select", dtype: trueValue.dtype, condition, trueValue, falseValue, span };
}

/**
 * A read of `buffer`; its dtype is the buffer's with the lanes of the last index.
 * @throws RangeError if the number of indices is not the number of dimensions.
 */
export function makeBufferLoad(buffer: Buffer, indices: readonly PrimExpr[], predicate?: PrimExpr, span?: Span): BufferLoad {
  checkIndices(buffer, indices);
  return { kind: "tir.BufferLoad", dtype: accessDType(buffer, indices), buffer, indices, predicate, span };
}

/**
 * The type of an access: the buffer's, with as many lanes as the last index has, times its own.
 * @throws RangeError if the hardware decides both.
 */
export function accessDType(buffer: Buffer, indices: readonly PrimExpr[]): DType {
  const last = indices[indices.length - 1];
  const lanes = last === undefined ? 1 : lanesOf(last.dtype);
  if (lanes === 1) return buffer.dtype;
  const own = lanesOf(buffer.dtype);
  if (lanes < 0 && own < 0) throw new RangeError(`Buffer \`${buffer.name}\` holds vectors of a length that the hardware decides: an index cannot be one too.`);
  return withLanes(scalarOf(buffer.dtype), lanes * own);
}

/** @throws RangeError if the number of indices is not the number of dimensions. */
export function checkIndices(buffer: Buffer, indices: readonly PrimExpr[]): void {
  if (buffer.shape.length !== indices.length) {
    throw new RangeError(`Buffer \`${buffer.name}\` has ${buffer.shape.length} dimensions but was given ${indices.length} indices.`);
  }
}

export function makeProducerLoad(producer: Node, dtype: DType, indices: readonly PrimExpr[]): ProducerLoad {
  return { kind: "tir.ProducerLoad", dtype, producer, indices };
}

/** The lanes of a vector of `inner`: one of them at most may be of a length that the hardware decides. @throws RangeError */
function totalLanes(inner: DType, lanes: number): number {
  if (!Number.isInteger(lanes) || lanes === 0 || lanes === -1 || (lanes < 0 && lanesOf(inner) < 0)) throw new RangeError(`There is no vector of ${lanes < 0 ? `vscale * ${-lanes}` : lanes} \`${inner}\`.`);
  return lanes * lanesOf(inner);
}

/**
 * A `lanes` of -4 is 4 times the hardware's `vscale`.
 * @throws RangeError if there is no such vector.
 */
export function makeRamp(base: PrimExpr, stride: PrimExpr, lanes: number, span?: Span): Ramp {
  return { kind: "tir.Ramp", dtype: withLanes(base.dtype, totalLanes(base.dtype, lanes)), base, stride, lanes, span };
}

/**
 * A `lanes` of -4 is 4 times the hardware's `vscale`.
 * @throws RangeError if there is no such vector.
 */
export function makeBroadcast(value: PrimExpr, lanes: number, span?: Span): Broadcast {
  return { kind: "tir.Broadcast", dtype: withLanes(value.dtype, totalLanes(value.dtype, lanes)), value, lanes, span };
}

export function makeLet(bind: Var, value: PrimExpr, body: PrimExpr, span?: Span): Let {
  return { kind: "tir.Let", dtype: body.dtype, bind, value, body, span };
}

export function makeCall(dtype: DType, op: Op | GlobalVar, args: readonly PrimExpr[], span?: Span): Call {
  return { kind: "tir.Call", dtype, op, args, span };
}

export function makeShuffle(vectors: readonly PrimExpr[], indices: readonly PrimExpr[], span?: Span): Shuffle {
  const first = vectors[0];
  if (first === undefined) throw new RangeError("`Shuffle` takes at least one vector.");
  return { kind: "tir.Shuffle", dtype: withLanes(first.dtype, indices.length), vectors, indices, span };
}

export function makeCommReducer(
  lhs: readonly Var[],
  rhs: readonly Var[],
  result: readonly PrimExpr[],
  identityElement: readonly PrimExpr[],
): CommReducer {
  return { kind: "tir.CommReducer", lhs, rhs, result, identityElement };
}

export function makeReduce(
  combiner: CommReducer,
  source: readonly PrimExpr[],
  axis: readonly IterVar[],
  valueIndex = 0,
  opts: { readonly init?: readonly PrimExpr[]; readonly condition?: PrimExpr } = {},
): Reduce {
  const value = source[valueIndex];
  if (value === undefined) throw new RangeError(`\`Reduce\` has ${source.length} values and no number ${valueIndex}.`);
  return {
    kind: "tir.Reduce",
    dtype: value.dtype,
    combiner,
    axis,
    source,
    init: opts.init ?? [],
    condition: opts.condition ?? makeIntImm(1, "bool"),
    valueIndex,
  };
}

/** The half-open interval from `min` with `extent` values. */
export function makeRange(min: PrimExpr, extent: PrimExpr, span?: Span): Range {
  return { kind: "tir.Range", min, extent, span };
}

export function makeIterVar(dom: Range | undefined, v: Var, iterType: IterVarType, threadTag = "", span?: Span): IterVar {
  return { kind: "tir.IterVar", dom, var: v, iterType, threadTag, span };
}
