import type { AttrMap } from "@verticil/ir-core";
import { makeIntImm } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import { getBlockAccessRegion } from "../analysis/block-access-region.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { accessDType, makeBufferLoad, makeIterVar, makeRange, makeVar } from "../ir/make-expr.ts";
import {
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferStore,
  makeEvaluate,
  makeFor,
  makeIfThenElse,
  makeLetStmt,
  makePrimFunc,
  makeSeq,
  type BufferOptions,
} from "../ir/make-stmt.ts";
import { cast, constant, toExpr, type ExprLike } from "../ir/ops.ts";
import type { ForKind, PrimFunc, Stmt } from "../ir/stmt.ts";
import { needsRoot } from "../script/root-block.ts";

/** A parameter that is a buffer. */
export interface BufferParam {
  readonly param: "buffer";
  readonly shape: readonly ExprLike[];
  readonly dtype: DType;
  readonly options: BufferOptions;
}

/** A parameter that is a number. */
export interface ScalarParam {
  readonly param: "scalar";
  readonly dtype: DType;
}

/** The parameters of a tensor program by name, in order. */
export type PrimFuncParams = Readonly<Record<string, BufferParam | ScalarParam>>;

/** What the body of a tensor program is given for its parameters. */
export type PrimFuncArgs<P extends PrimFuncParams> = { readonly [K in keyof P]: P[K] extends BufferParam ? Buffer : Var };

/** One axis of a block: what it ranges over, and what it is bound to. */
export interface Axis {
  readonly iterType: "kDataPar" | "kCommReduce";
  readonly extent: ExprLike;
  readonly value: ExprLike;
}

/** A parameter of `primFunc` that is a buffer. */
export function bufferParam(shape: readonly ExprLike[], dtype: DType = "float32", options: BufferOptions = {}): BufferParam {
  return { param: "buffer", shape, dtype, options };
}

/** A parameter of `primFunc` that is a number. */
export function scalarParam(dtype: DType = "int32"): ScalarParam {
  return { param: "scalar", dtype };
}

/** An axis whose values may be computed in any order, as `T.axis.spatial`. */
export function spatialAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kDataPar", extent, value };
}

/** An axis that is reduced over, as `T.axis.reduce`. */
export function reduceAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kCommReduce", extent, value };
}

/** The element of `buffer` at `indices`. @throws RangeError if their number is not the buffer's. */
export function element(buffer: Buffer, ...indices: readonly ExprLike[]): PrimExpr {
  return makeBufferLoad(buffer, indices.map((i) => toExpr(i)));
}

/** Takes the statements of a body in order. */
export class StmtBuilder {
  readonly #stmts: Stmt[] = [];

  /** Adds a statement that was made elsewhere. */
  add(stmt: Stmt): void {
    this.#stmts.push(stmt);
  }

  /** `buffer[indices] = value`; the value is converted to the buffer's type. */
  store(buffer: Buffer, indices: readonly ExprLike[], value: ExprLike): void {
    const at = indices.map((i) => toExpr(i));
    const dtype = accessDType(buffer, at);
    this.add(makeBufferStore(buffer, cast(dtype, toExpr(value, dtype)), at));
  }

  evaluate(value: ExprLike): void {
    this.add(makeEvaluate(toExpr(value)));
  }

  /** A loop from zero to `extent`. */
  loop(name: string, extent: ExprLike, body: (i: Var, b: StmtBuilder) => void, opts: { readonly kind?: ForKind; readonly thread?: string; readonly annotations?: AttrMap } = {}): void {
    const size = toExpr(extent);
    const v = makeVar(name, size.dtype);
    const threadBinding = opts.thread === undefined ? undefined : makeIterVar(undefined, makeVar("", size.dtype), "kThreadIndex", opts.thread);
    const forKind = opts.kind ?? (opts.thread === undefined ? "serial" : "thread_binding");
    this.add(makeFor(v, constant(0, size.dtype), size, nested((b) => body(v, b)), { forKind, threadBinding, annotations: opts.annotations ?? {} }));
  }

  /** Nested serial loops by the names of their variables, outermost first: `T.grid`. */
  grid<L extends Readonly<Record<string, ExprLike>>>(loops: L, body: (vars: { readonly [K in keyof L]: Var }, b: StmtBuilder) => void): void {
    const vars = Object.entries(loops).map(([name, extent]) => [name, toExpr(extent), makeVar(name, toExpr(extent).dtype)] as const);
    let stmt = nested((b) => body(Object.fromEntries(vars.map(([name, , v]) => [name, v])) as { readonly [K in keyof L]: Var }, b));
    for (const [, extent, v] of [...vars].reverse()) stmt = makeFor(v, constant(0, extent.dtype), extent, stmt);
    this.add(stmt);
  }

  /** A block over `axes`; what it reads and writes is found from its body. */
  block<A extends Readonly<Record<string, Axis>>>(
    name: string,
    axes: A,
    body: (vars: { readonly [K in keyof A]: Var }, b: BlockBuilder) => void,
    opts: { readonly where?: PrimExpr; readonly annotations?: AttrMap } = {},
  ): void {
    const iterVars: IterVar[] = [];
    const values: PrimExpr[] = [];
    const vars: Record<string, Var> = {};
    for (const [key, axis] of Object.entries(axes)) {
      const extent = toExpr(axis.extent);
      const v = makeVar(key, extent.dtype);
      vars[key] = v;
      iterVars.push(makeIterVar(makeRange(constant(0, extent.dtype), extent), v, axis.iterType));
      values.push(toExpr(axis.value, extent.dtype));
    }
    const inner = new BlockBuilder();
    body(vars as { readonly [K in keyof A]: Var }, inner);
    const parts = { init: inner.initStmt, allocBuffers: inner.allocated, annotations: opts.annotations ?? {} };
    const draft = makeBlock(name, iterVars, [], [], inner.finish(), parts);
    const { reads, writes } = getBlockAccessRegion(draft);
    this.add(makeBlockRealize(values, opts.where ?? makeIntImm(1, "bool"), makeBlock(name, iterVars, reads, writes, draft.body, parts)));
  }

  if(condition: PrimExpr, body: (b: StmtBuilder) => void, orelse?: (b: StmtBuilder) => void): void {
    this.add(makeIfThenElse(condition, nested(body), orelse === undefined ? undefined : nested(orelse)));
  }

  /** Binds `value` to a name in `body`. */
  let(name: string, value: PrimExpr, body: (v: Var, b: StmtBuilder) => void): void {
    const v = makeVar(name, value.dtype);
    this.add(makeLetStmt(v, value, nested((b) => body(v, b))));
  }

  /** All statements as one. */
  finish(): Stmt {
    return this.#stmts.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(this.#stmts);
  }
}

/** Takes the statements of a block. */
export class BlockBuilder extends StmtBuilder {
  readonly allocated: Buffer[] = [];
  initStmt: Stmt | undefined;

  /** What runs where the reduction begins: `T.init`. */
  init(body: (b: StmtBuilder) => void): void {
    this.initStmt = nested(body);
  }

  /** A buffer that lives as long as the block: `T.alloc_buffer`. */
  alloc(name: string, shape: readonly ExprLike[], dtype: DType = "float32", options: BufferOptions = {}): Buffer {
    const buffer = makeBuffer(name, shape.map((d) => toExpr(d)), dtype, options);
    this.allocated.push(buffer);
    return buffer;
  }
}

function nested(body: (b: StmtBuilder) => void): Stmt {
  const b = new StmtBuilder();
  body(b);
  return b.finish();
}

/**
 * A tensor program, built instead of written: what TVMScript says, with names and types that the compiler checks.
 *
 * ```ts
 * const double = primFunc("double", { A: bufferParam([128]), B: bufferParam([128]) }, ({ A, B }, f) => {
 *   f.grid({ i: 128 }, ({ i }, b) => b.block("double", { vi: spatialAxis(128, i) }, ({ vi }, blk) => blk.store(B, [vi], mul(element(A, vi), f32(2)))));
 * });
 * ```
 */
export function primFunc<P extends PrimFuncParams>(
  name: string,
  params: P,
  body: (args: PrimFuncArgs<P>, f: BlockBuilder) => void,
  opts: { readonly isPrivate?: boolean; readonly attrs?: AttrMap } = {},
): PrimFunc {
  const vars: Var[] = [];
  const buffers = new Map<Var, Buffer>();
  const args: Record<string, Buffer | Var> = {};
  for (const [key, param] of Object.entries(params)) {
    if (param.param === "scalar") {
      const v = makeVar(key, param.dtype);
      vars.push(v);
      args[key] = v;
      continue;
    }
    const v = makeVar(`${key}_handle`, "handle");
    const buffer = makeBuffer(key, param.shape.map((d) => toExpr(d)), param.dtype, param.options);
    vars.push(v);
    buffers.set(v, buffer);
    args[key] = buffer;
  }
  const f = new BlockBuilder();
  body(args as PrimFuncArgs<P>, f);
  const stmt = f.finish();
  const root = needsRoot(stmt, f.allocated)
    ? makeBlockRealize([], makeIntImm(1, "bool"), makeBlock("root", [], [], [], stmt, { allocBuffers: f.allocated }))
    : stmt;
  const attrs: AttrMap = opts.isPrivate === true ? (opts.attrs ?? {}) : { global_symbol: name, ...opts.attrs };
  return makePrimFunc(vars, root, { bufferMap: buffers, attrs });
}
