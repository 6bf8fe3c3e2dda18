import {
  makeIntImm,
  makePointerType,
  makePrimType,
  makeTupleType,
  type AttrMap,
  type Node,
  type Span,
  type Type,
} from "@verticil/ir-core";
import type { DType, Tensor } from "@verticil/runtime-ffi";
import type { Buffer, BufferRegion, MatchBufferRegion } from "./buffer.ts";
import type { IterVar, PrimExpr, Range, Var } from "./expr.ts";
import { accessDType, checkIndices, makeVar } from "./make-expr.ts";
import { isConstInt } from "./ops.ts";
import type {
  Allocate,
  AllocateConst,
  AssertStmt,
  AttrStmt,
  Block,
  BlockRealize,
  BufferStore,
  BufferRealize,
  DeclBuffer,
  Evaluate,
  For,
  ForKind,
  IfThenElse,
  IndexMap,
  LetStmt,
  Prefetch,
  PrimFunc,
  SeqStmt,
  Stmt,
  TargetNode,
  TensorIntrin,
  While,
} from "./stmt.ts";

/** What a buffer may be told beyond name, shape and dtype. */
export interface BufferOptions {
  /** The pointer variable; a new one named like the buffer unless told. */
  readonly data?: Var;
  readonly strides?: readonly PrimExpr[];
  readonly axisSeparators?: readonly PrimExpr[];
  readonly elemOffset?: PrimExpr | undefined;
  /** The storage scope of a new pointer variable: `global`, `local`, `shared`, … */
  readonly scope?: string;
  readonly dataAlignment?: number;
  readonly offsetFactor?: number;
  readonly bufferType?: Buffer["bufferType"];
  readonly span?: Span | undefined;
}

/** A buffer (upstream's `decl_buffer`): compact, 64-byte aligned, in global memory unless told. Plain numbers are int32. */
export function makeBuffer(
  name: string,
  shape: readonly (PrimExpr | number)[],
  dtype: DType = "float32",
  opts: BufferOptions = {},
): Buffer {
  const data = opts.data ?? makeVar(name, "handle", makePointerType(makePrimType(dtype), opts.scope ?? "global"));
  return {
    kind: "tir.Buffer",
    data,
    dtype,
    shape: shape.map((d) => (typeof d === "number" ? makeIntImm(d) : d)),
    strides: opts.strides ?? [],
    axisSeparators: opts.axisSeparators ?? [],
    // Zero is what an offset that is left out is.
    elemOffset: opts.elemOffset !== undefined && isConstInt(opts.elemOffset, 0) ? undefined : opts.elemOffset,
    name,
    dataAlignment: opts.dataAlignment ?? 64,
    offsetFactor: opts.offsetFactor ?? 1,
    bufferType: opts.bufferType ?? "default",
    span: opts.span,
  };
}

/** The storage scope of a buffer, from its pointer's type; `global` where there is none. */
export function scopeOf(buffer: Buffer): string {
  const type = buffer.data.typeAnnotation;
  return type?.kind === "ir.PointerType" && type.storageScope !== "" ? type.storageScope : "global";
}

export function makeBufferRegion(buffer: Buffer, region: readonly Range[], span?: Span): BufferRegion {
  return { kind: "tir.BufferRegion", buffer, region, span };
}

export function makeMatchBufferRegion(buffer: Buffer, source: BufferRegion, span?: Span): MatchBufferRegion {
  return { kind: "tir.MatchBufferRegion", buffer, source, span };
}

export function makeLetStmt(bind: Var, value: PrimExpr, body: Stmt, span?: Span): LetStmt {
  return { kind: "tir.LetStmt", bind, value, body, span };
}

export function makeAttrStmt(node: Node | undefined, attrKey: string, value: PrimExpr, body: Stmt, span?: Span): AttrStmt {
  return { kind: "tir.AttrStmt", node, attrKey, value, body, span };
}

/** A target as a node, for an `AttrStmt`. */
export function makeTargetNode(config: AttrMap, span?: Span): TargetNode {
  return { kind: "tir.Target", config, span };
}

export function makeAssertStmt(condition: PrimExpr, message: PrimExpr, body: Stmt, span?: Span): AssertStmt {
  return { kind: "tir.AssertStmt", condition, message, body, span };
}

/**
 * A write of `value`.
 * @throws RangeError if the number of indices is not the number of dimensions.
 * @throws TypeError if the value's type is not that of the element.
 */
export function makeBufferStore(
  buffer: Buffer,
  value: PrimExpr,
  indices: readonly PrimExpr[],
  predicate?: PrimExpr,
  span?: Span,
): BufferStore {
  checkIndices(buffer, indices);
  const dtype = accessDType(buffer, indices);
  if (value.dtype !== dtype) throw new TypeError(`Buffer \`${buffer.name}\` takes ${dtype} here, not ${value.dtype}.`);
  return { kind: "tir.BufferStore", buffer, value, indices, predicate, span };
}

export function makeAllocate(
  bufferVar: Var,
  dtype: DType,
  extents: readonly PrimExpr[],
  body: Stmt,
  opts: { readonly condition?: PrimExpr; readonly annotations?: AttrMap; readonly span?: Span | undefined } = {},
): Allocate {
  return {
    kind: "tir.Allocate",
    bufferVar,
    dtype,
    extents,
    condition: opts.condition ?? makeIntImm(1, "bool"),
    body,
    annotations: opts.annotations ?? {},
    span: opts.span,
  };
}

export function makeAllocateConst(
  bufferVar: Var,
  dtype: DType,
  extents: readonly PrimExpr[],
  data: Tensor,
  body: Stmt,
  annotations: AttrMap = {},
): AllocateConst {
  return { kind: "tir.AllocateConst", bufferVar, dtype, extents, data, body, annotations };
}

export function makeDeclBuffer(buffer: Buffer, body: Stmt, span?: Span): DeclBuffer {
  return { kind: "tir.DeclBuffer", buffer, body, span };
}

/** `T.realize`: the part of a buffer in use in `body`; the whole condition holds unless told. */
export function makeBufferRealize(buffer: Buffer, bounds: readonly Range[], body: Stmt, condition: PrimExpr = makeIntImm(1, "bool"), span?: Span): BufferRealize {
  return { kind: "tir.BufferRealize", buffer, bounds, condition, body, span };
}

/** `T.prefetch`: a part of a buffer that is read soon. */
export function makePrefetch(buffer: Buffer, bounds: readonly Range[], span?: Span): Prefetch {
  return { kind: "tir.Prefetch", buffer, bounds, span };
}

/**
 * The statements in order, nested sequences flattened and `T.evaluate(0)` left out; a single statement stands for itself,
 * and `T.evaluate(0)` for none (upstream's `SeqStmt::Flatten`).
 */
export function makeSeq(stmts: readonly Stmt[], span?: Span): Stmt {
  const seq: Stmt[] = [];
  for (const s of stmts) {
    if (s.kind === "tir.SeqStmt") for (const x of s.seq) seq.push(x);
    else if (!isNothing(s)) seq.push(s);
  }
  const [only] = seq;
  if (only === undefined) return stmts[0] !== undefined && isNothing(stmts[0]) ? stmts[0] : makeEvaluate(makeIntImm(0));
  if (seq.length === 1 && only !== undefined) return only;
  const node: SeqStmt = { kind: "tir.SeqStmt", seq, span };
  return node;
}

function isNothing(s: Stmt): boolean {
  return s.kind === "tir.Evaluate" && s.value.kind === "ir.IntImm" && s.value.value === 0;
}

export function makeEvaluate(value: PrimExpr, span?: Span): Evaluate {
  return { kind: "tir.Evaluate", value, span };
}

export function makeIfThenElse(condition: PrimExpr, thenCase: Stmt, elseCase?: Stmt, span?: Span): IfThenElse {
  return { kind: "tir.IfThenElse", condition, thenCase, elseCase, span };
}

/** What a loop may be told beyond variable, domain and body. */
export interface ForOptions {
  readonly forKind?: ForKind;
  readonly threadBinding?: IterVar | undefined;
  readonly annotations?: AttrMap;
  readonly span?: Span | undefined;
}

/** A loop. Constant bounds that are narrower than the variable take its type, as upstream's constructor has it. */
export function makeFor(loopVar: Var, min: PrimExpr, extent: PrimExpr, body: Stmt, opts: ForOptions = {}): For {
  const widen = (e: PrimExpr): PrimExpr => (e.kind === "ir.IntImm" && e.dtype === "int32" && loopVar.dtype === "int64" ? makeIntImm(e.value, "int64", e.span) : e);
  return {
    kind: "tir.For",
    loopVar,
    min: widen(min),
    extent: widen(extent),
    forKind: opts.forKind ?? "serial",
    threadBinding: opts.threadBinding,
    annotations: opts.annotations ?? {},
    body,
    span: opts.span,
  };
}

export function makeWhile(condition: PrimExpr, body: Stmt, span?: Span): While {
  return { kind: "tir.While", condition, body, span };
}

/** The parts of a block that may be left out. */
export interface BlockOptions {
  readonly init?: Stmt | undefined;
  readonly allocBuffers?: readonly Buffer[];
  readonly matchBuffers?: readonly MatchBufferRegion[];
  readonly annotations?: AttrMap;
  readonly span?: Span | undefined;
}

export function makeBlock(
  name: string,
  iterVars: readonly IterVar[],
  reads: readonly BufferRegion[],
  writes: readonly BufferRegion[],
  body: Stmt,
  opts: BlockOptions = {},
): Block {
  return {
    kind: "tir.Block",
    iterVars,
    reads,
    writes,
    name,
    body,
    init: opts.init,
    allocBuffers: opts.allocBuffers ?? [],
    matchBuffers: opts.matchBuffers ?? [],
    annotations: opts.annotations ?? {},
    span: opts.span,
  };
}

export function makeBlockRealize(iterValues: readonly PrimExpr[], predicate: PrimExpr, block: Block, span?: Span): BlockRealize {
  return { kind: "tir.BlockRealize", iterValues, predicate, block, span };
}

/** A tensor program; returns nothing unless told. */
export function makePrimFunc(
  params: readonly Var[],
  body: Stmt,
  opts: {
    readonly bufferMap?: ReadonlyMap<Var, Buffer>;
    readonly retType?: Type;
    readonly attrs?: AttrMap;
    readonly span?: Span | undefined;
  } = {},
): PrimFunc {
  return {
    kind: "tir.PrimFunc",
    params,
    bufferMap: opts.bufferMap ?? new Map(),
    retType: opts.retType ?? makeTupleType([]),
    body,
    attrs: opts.attrs ?? {},
    span: opts.span,
  };
}

export function makeIndexMap(initialIndices: readonly Var[], finalIndices: readonly PrimExpr[], inverse?: IndexMap): IndexMap {
  return { kind: "tir.IndexMap", initialIndices, finalIndices, inverse };
}

export function makeTensorIntrin(desc: PrimFunc, impl: PrimFunc): TensorIntrin {
  return { kind: "tir.TensorIntrin", desc, impl };
}
