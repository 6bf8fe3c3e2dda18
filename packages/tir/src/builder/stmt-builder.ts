import { makeIntImm, makePointerType, makePrimType, type AttrMap, type Node } from "@verticil/ir-core";
import type { DType, Tensor } from "@verticil/runtime-ffi";
import { getBlockAccessRegion } from "../analysis/block-access-region.ts";
import type { Buffer, BufferRegion, MatchBufferRegion } from "../ir/buffer.ts";
import type { IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { intrinOp } from "../ir/intrin.ts";
import { accessDType, makeBufferLoad, makeCall, makeIterVar, makeRange, makeStringImm, makeVar } from "../ir/make-expr.ts";
import {
  makeAllocate,
  makeAllocateConst,
  makeAssertStmt,
  makeAttrStmt,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferRegion,
  makeBufferRealize,
  makeBufferStore,
  makeDeclBuffer,
  makeEvaluate,
  makeFor,
  makeIfThenElse,
  makeLetStmt,
  makeMatchBufferRegion,
  makePrefetch,
  makeSeq,
  makeWhile,
  scopeOf,
  type BufferOptions,
} from "../ir/make-stmt.ts";
import { cast, constant, toExpr, type ExprLike } from "../ir/ops.ts";
import type { ForKind, Stmt } from "../ir/stmt.ts";

/** One axis of a block: what it ranges over (from `min`, 0 unless told), and what it is bound to. */
export interface Axis {
  readonly iterType: "kDataPar" | "kCommReduce" | "kOrdered" | "kOpaque";
  readonly min?: ExprLike;
  readonly extent: ExprLike;
  readonly value: ExprLike;
}

/** An axis whose values may be computed in any order, as `T.axis.spatial`. */
export function spatialAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kDataPar", extent, value };
}

/** An axis that is reduced over, as `T.axis.reduce`. */
export function reduceAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kCommReduce", extent, value };
}

/** An axis whose values come in order, as `T.axis.scan`. */
export function scanAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kOrdered", extent, value };
}

/** An axis of which nothing is promised, as `T.axis.opaque`. */
export function opaqueAxis(extent: ExprLike, value: ExprLike): Axis {
  return { iterType: "kOpaque", extent, value };
}

/** A part of a buffer: an index, or where an interval begins and how long it is, for each dimension; whole unless told. */
export function region(buffer: Buffer, ...parts: readonly (ExprLike | readonly [min: ExprLike, extent: ExprLike])[]): BufferRegion {
  const ranges = buffer.shape.map((size, d) => {
    const part = parts[d];
    if (part === undefined) return makeRange(constant(0, size.dtype), size);
    const [min, extent] = isInterval(part) ? part : [part, 1];
    const from = toExpr(min, typeof min === "object" ? undefined : size.dtype);
    return makeRange(from, toExpr(extent, typeof extent === "object" ? undefined : from.dtype));
  });
  return makeBufferRegion(buffer, ranges);
}

function isInterval(part: ExprLike | readonly [ExprLike, ExprLike]): part is readonly [ExprLike, ExprLike] {
  return Array.isArray(part);
}

/** The element of `buffer` at `indices`. @throws RangeError if their number is not the buffer's. */
export function element(buffer: Buffer, ...indices: readonly ExprLike[]): PrimExpr {
  return makeBufferLoad(buffer, indices.map((i) => toExpr(i)));
}

/** How a loop runs. */
export interface LoopOptions {
  readonly min?: ExprLike;
  readonly kind?: ForKind;
  readonly thread?: string;
  readonly annotations?: AttrMap;
}

/** What is said of a block beside its axes. */
export interface BlockBuildOptions {
  readonly where?: PrimExpr;
  readonly annotations?: AttrMap;
}

/** What is said of an allocation beside its size. */
export interface AllocateOptions {
  readonly scope?: string;
  readonly condition?: PrimExpr;
  readonly annotations?: AttrMap;
}

/** Takes the statements of a body in order. */
export class StmtBuilder {
  readonly #stmts: Stmt[] = [];

  /** Adds a statement that was made elsewhere. */
  add(stmt: Stmt): void {
    this.#stmts.push(stmt);
  }

  /** `buffer[indices] = value`; the value is converted to the buffer's type. `predicate` masks lanes, as in `vstore`. */
  store(buffer: Buffer, indices: readonly ExprLike[], value: ExprLike, predicate?: PrimExpr): void {
    const at = indices.map((i) => toExpr(i));
    const dtype = accessDType(buffer, at);
    this.add(makeBufferStore(buffer, cast(dtype, toExpr(value, dtype)), at, predicate));
  }

  evaluate(value: ExprLike): void {
    this.add(makeEvaluate(toExpr(value)));
  }

  /** The value of the program: `return value`. */
  ret(value: ExprLike): void {
    const e = toExpr(value);
    this.add(makeEvaluate(makeCall(e.dtype, intrinOp("ret"), [e])));
  }

  /** A loop over `extent` values from `min`, zero unless told. */
  loop(name: string, extent: ExprLike, body: (i: Var, b: StmtBuilder) => void, opts: LoopOptions = {}): void {
    const size = toExpr(extent, typeof extent === "object" || opts.min === undefined ? undefined : toExpr(opts.min).dtype);
    const v = makeVar(name, size.dtype);
    const threadBinding = opts.thread === undefined ? undefined : makeIterVar(undefined, makeVar("", size.dtype), "kThreadIndex", opts.thread);
    const forKind = opts.kind ?? (opts.thread === undefined ? "serial" : "thread_binding");
    const min = toExpr(opts.min ?? 0, typeof opts.min === "object" ? undefined : size.dtype);
    this.add(makeFor(v, min, size, nested((b) => body(v, b)), { forKind, threadBinding, annotations: opts.annotations ?? {} }));
  }

  /** Nested serial loops by the names of their variables, outermost first: `T.grid`. */
  grid<L extends Readonly<Record<string, ExprLike>>>(loops: L, body: (vars: { readonly [K in keyof L]: Var }, b: StmtBuilder) => void): void {
    const vars = Object.entries(loops).map(([name, extent]) => [name, toExpr(extent), makeVar(name, toExpr(extent).dtype)] as const);
    let stmt = nested((b) => body(Object.fromEntries(vars.map(([name, , v]) => [name, v])) as { readonly [K in keyof L]: Var }, b));
    for (const [, extent, v] of [...vars].reverse()) stmt = makeFor(v, constant(0, extent.dtype), extent, stmt);
    this.add(stmt);
  }

  while(condition: PrimExpr, body: (b: StmtBuilder) => void): void {
    this.add(makeWhile(condition, nested(body)));
  }

  /** A block over `axes`; what it reads and writes is found from its body unless told. */
  block<A extends Readonly<Record<string, Axis>>>(
    name: string,
    axes: A,
    body: (vars: { readonly [K in keyof A]: Var }, b: BlockBuilder) => void,
    opts: BlockBuildOptions = {},
  ): void {
    const iterVars: IterVar[] = [];
    const values: PrimExpr[] = [];
    const vars: Record<string, Var> = {};
    for (const [key, axis] of Object.entries(axes)) {
      const extent = toExpr(axis.extent);
      const v = makeVar(key, extent.dtype);
      vars[key] = v;
      iterVars.push(makeIterVar(makeRange(toExpr(axis.min ?? 0, typeof axis.min === "object" ? undefined : extent.dtype), extent), v, axis.iterType));
      values.push(toExpr(axis.value, extent.dtype));
    }
    const inner = new BlockBuilder();
    body(vars as { readonly [K in keyof A]: Var }, inner);
    const parts = { init: inner.initStmt, allocBuffers: inner.allocated, matchBuffers: inner.matched, annotations: opts.annotations ?? {} };
    const draft = makeBlock(name, iterVars, [], [], inner.finish(), parts);
    const { said } = inner;
    const found = said.reads === undefined || said.writes === undefined ? getBlockAccessRegion(draft) : { reads: [], writes: [] };
    const block = makeBlock(name, iterVars, said.reads ?? found.reads, said.writes ?? found.writes, draft.body, parts);
    this.add(makeBlockRealize(values, opts.where ?? makeIntImm(1, "bool"), block));
  }

  if(condition: PrimExpr, body: (b: StmtBuilder) => void, orelse?: (b: StmtBuilder) => void): void {
    this.add(makeIfThenElse(condition, nested(body), orelse === undefined ? undefined : nested(orelse)));
  }

  /** Binds `value` to a name in `body`. */
  let(name: string, value: PrimExpr, body: (v: Var, b: StmtBuilder) => void): void {
    const v = makeVar(name, value.dtype);
    this.add(makeLetStmt(v, value, nested((b) => body(v, b))));
  }

  /** An attribute that holds in `body`: `T.attr(node, key, value)`. */
  attr(node: Node | undefined, key: string, value: ExprLike, body: (b: StmtBuilder) => void): void {
    this.add(makeAttrStmt(node, key, toExpr(value), nested(body)));
  }

  /** Threads of an axis such as `threadIdx.x`, or virtual ones (`vthread`), that all run `body`: `T.launch_thread`. */
  launchThread(tag: string, extent: ExprLike, body: (thread: Var, b: StmtBuilder) => void): void {
    const size = toExpr(extent);
    const v = makeVar(tag, size.dtype);
    const axis = makeIterVar(makeRange(constant(0, size.dtype), size), v, "kThreadIndex", tag);
    this.attr(axis, tag.startsWith("vthread") ? "virtual_thread" : "thread_extent", size, (b) => body(v, b));
  }

  /** Memory for `body`, and a buffer over it: `T.allocate` with `T.Buffer`. */
  allocate(name: string, shape: readonly ExprLike[], dtype: DType, body: (buffer: Buffer, b: StmtBuilder) => void, opts: AllocateOptions = {}): void {
    const extents = shape.map((d) => toExpr(d));
    const data = makeVar(name, "handle", makePointerType(makePrimType(dtype), opts.scope ?? "global"));
    const buffer = makeBuffer(name, extents, dtype, { data });
    const annotations = opts.annotations ?? {};
    this.add(makeAllocate(data, dtype, extents, makeDeclBuffer(buffer, nested((b) => body(buffer, b))), opts.condition === undefined ? { annotations } : { annotations, condition: opts.condition }));
  }

  /** Constants in memory for `body`: `T.allocate_const`. */
  allocateConst(name: string, data: Tensor, body: (buffer: Buffer, b: StmtBuilder) => void): void {
    const pointer = makeVar(name, "handle", makePointerType(makePrimType(data.dtype)));
    const buffer = makeBuffer(name, data.shape, data.dtype, { data: pointer });
    this.add(makeAllocateConst(pointer, data.dtype, data.shape.map((d) => makeIntImm(d)), data, makeDeclBuffer(buffer, nested((b) => body(buffer, b)))));
  }

  /** Another view of memory that exists, as `options.data` says: `T.decl_buffer`. */
  declBuffer(name: string, shape: readonly ExprLike[], dtype: DType, options: BufferOptions & { readonly data: Var }, body: (buffer: Buffer, b: StmtBuilder) => void): void {
    const buffer = makeBuffer(name, shape.map((d) => toExpr(d)), dtype, options);
    this.add(makeDeclBuffer(buffer, nested((b) => body(buffer, b))));
  }

  /** The part of a buffer that is in use in `body`, in a storage scope: `T.realize`. */
  realize(part: BufferRegion, scope: string, body: (b: StmtBuilder) => void, condition?: PrimExpr): void {
    this.attr(part.buffer, "realize_scope", makeStringImm(scope), (b) => b.add(makeBufferRealize(part.buffer, part.region, nested(body), condition)));
  }

  /** Asks for a part of a buffer to be brought near: `T.prefetch`. */
  prefetch(part: BufferRegion): void {
    this.add(makePrefetch(part.buffer, part.region));
  }

  /** What holds wherever `body` runs. */
  assert(condition: PrimExpr, message: string, body: (b: StmtBuilder) => void): void {
    this.add(makeAssertStmt(condition, makeStringImm(message), nested(body)));
  }

  /** All statements as one. */
  finish(): Stmt {
    return this.#stmts.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(this.#stmts);
  }
}

/** Takes the statements of a block. */
export class BlockBuilder extends StmtBuilder {
  readonly allocated: Buffer[] = [];
  readonly matched: MatchBufferRegion[] = [];
  initStmt: Stmt | undefined;

  /** What the block was said to read and write. */
  readonly said: { reads?: readonly BufferRegion[]; writes?: readonly BufferRegion[] } = {};

  /** Says what the block reads: `T.reads`. */
  reads(...regions: readonly BufferRegion[]): void {
    this.said.reads = regions;
  }

  /** Says what the block writes: `T.writes`. */
  writes(...regions: readonly BufferRegion[]): void {
    this.said.writes = regions;
  }

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

  /** A part of a buffer as a buffer of its own: `T.match_buffer` inside of a block. */
  match(name: string, source: BufferRegion, shape: readonly ExprLike[], options: BufferOptions = {}): Buffer {
    const buffer = makeBuffer(name, shape.map((d) => toExpr(d)), source.buffer.dtype, { scope: scopeOf(source.buffer), ...options });
    this.matched.push(makeMatchBufferRegion(buffer, source));
    return buffer;
  }
}

function nested(body: (b: StmtBuilder) => void): Stmt {
  const b = new StmtBuilder();
  body(b);
  return b.finish();
}
