import type { AttrMap, BaseFunc, Node, Type } from "@verticil/ir-core";
import type { DType, Tensor } from "@verticil/runtime-ffi";
import type { Buffer, BufferRegion, MatchBufferRegion } from "./buffer.ts";
import type { IterVar, PrimExpr, Range, Var } from "./expr.ts";

/** `bind = value`, visible in `body`. */
export interface LetStmt extends Node {
  readonly kind: "tir.LetStmt";
  readonly bind: Var;
  readonly value: PrimExpr;
  readonly body: Stmt;
}

/** A target as the node of an attribute that says where its body runs; as an attribute of a function it is the bare `config`. */
export interface TargetNode extends Node {
  readonly kind: "tir.Target";
  readonly config: AttrMap;
}

/** An attribute of `node` that holds in `body`, such as `thread_extent` of a thread variable. */
export interface AttrStmt extends Node {
  readonly kind: "tir.AttrStmt";
  /** An IterVar, a variable, a buffer, a string constant, a target, … */
  readonly node: Node | undefined;
  readonly attrKey: string;
  readonly value: PrimExpr;
  readonly body: Stmt;
}

export interface AssertStmt extends Node {
  readonly kind: "tir.AssertStmt";
  readonly condition: PrimExpr;
  readonly message: PrimExpr;
  readonly body: Stmt;
}

/** A write of one element, or with a vector index of several; `predicate` masks lanes. */
export interface BufferStore extends Node {
  readonly kind: "tir.BufferStore";
  readonly buffer: Buffer;
  readonly value: PrimExpr;
  readonly indices: readonly PrimExpr[];
  readonly predicate: PrimExpr | undefined;
}

/** Memory of `extents` elements, alive in `body`, behind `bufferVar`. */
export interface Allocate extends Node {
  readonly kind: "tir.Allocate";
  readonly bufferVar: Var;
  readonly dtype: DType;
  readonly extents: readonly PrimExpr[];
  readonly condition: PrimExpr;
  readonly body: Stmt;
  readonly annotations: AttrMap;
}

/** Constant memory, alive in `body`, behind `bufferVar`. */
export interface AllocateConst extends Node {
  readonly kind: "tir.AllocateConst";
  readonly bufferVar: Var;
  readonly dtype: DType;
  readonly extents: readonly PrimExpr[];
  readonly data: Tensor;
  readonly body: Stmt;
  readonly annotations: AttrMap;
}

/** Declares a buffer over memory that exists. */
export interface DeclBuffer extends Node {
  readonly kind: "tir.DeclBuffer";
  readonly buffer: Buffer;
  readonly body: Stmt;
}

/**
 * The part of a buffer that is in use in `body`, where `condition` holds. Upstream writes it from tensor expressions
 * before buffers have memory of their own; no pass here makes one.
 */
export interface BufferRealize extends Node {
  readonly kind: "tir.BufferRealize";
  readonly buffer: Buffer;
  readonly bounds: readonly Range[];
  readonly condition: PrimExpr;
  readonly body: Stmt;
}

/** Asks for a part of a buffer to be brought near before it is read; changes nothing else. */
export interface Prefetch extends Node {
  readonly kind: "tir.Prefetch";
  readonly buffer: Buffer;
  readonly bounds: readonly Range[];
}

/** Statements in order; at least two, none of them a `SeqStmt`. */
export interface SeqStmt extends Node {
  readonly kind: "tir.SeqStmt";
  readonly seq: readonly Stmt[];
}

export interface Evaluate extends Node {
  readonly kind: "tir.Evaluate";
  readonly value: PrimExpr;
}

export interface IfThenElse extends Node {
  readonly kind: "tir.IfThenElse";
  readonly condition: PrimExpr;
  readonly thenCase: Stmt;
  readonly elseCase: Stmt | undefined;
}

export type ForKind = "serial" | "parallel" | "vectorized" | "unrolled" | "thread_binding";

/** `loopVar` from `min`, `extent` times. `threadBinding` is given for `thread_binding` only. */
export interface For extends Node {
  readonly kind: "tir.For";
  readonly loopVar: Var;
  readonly min: PrimExpr;
  readonly extent: PrimExpr;
  readonly forKind: ForKind;
  readonly threadBinding: IterVar | undefined;
  readonly annotations: AttrMap;
  readonly body: Stmt;
}

export interface While extends Node {
  readonly kind: "tir.While";
  readonly condition: PrimExpr;
  readonly body: Stmt;
}

/**
 * A unit of computation over its iteration variables, isolated from the loops around it. `reads` and `writes` are the
 * regions it touches in terms of those variables; `init` runs at the first iteration of the reduction variables.
 */
export interface Block extends Node {
  readonly kind: "tir.Block";
  readonly iterVars: readonly IterVar[];
  readonly reads: readonly BufferRegion[];
  readonly writes: readonly BufferRegion[];
  readonly name: string;
  readonly body: Stmt;
  readonly init: Stmt | undefined;
  readonly allocBuffers: readonly Buffer[];
  readonly matchBuffers: readonly MatchBufferRegion[];
  readonly annotations: AttrMap;
}

/** A block with the values of its iteration variables at this place; skipped where `predicate` is false. */
export interface BlockRealize extends Node {
  readonly kind: "tir.BlockRealize";
  readonly iterValues: readonly PrimExpr[];
  readonly predicate: PrimExpr;
  readonly block: Block;
}

export type Stmt =
  | LetStmt
  | AttrStmt
  | AssertStmt
  | BufferStore
  | Allocate
  | AllocateConst
  | DeclBuffer
  | BufferRealize
  | Prefetch
  | SeqStmt
  | Evaluate
  | IfThenElse
  | For
  | While
  | Block
  | BlockRealize;

/** A tensor program. A handle parameter that is in `bufferMap` is the memory of that buffer. */
export interface PrimFunc extends BaseFunc {
  readonly kind: "tir.PrimFunc";
  readonly params: readonly Var[];
  readonly bufferMap: ReadonlyMap<Var, Buffer>;
  readonly retType: Type;
  readonly body: Stmt;
  readonly attrs: AttrMap;
}

/** A map of indices: `finalIndices` in terms of `initialIndices`. */
export interface IndexMap extends Node {
  readonly kind: "tir.IndexMap";
  readonly initialIndices: readonly Var[];
  readonly finalIndices: readonly PrimExpr[];
  readonly inverse: IndexMap | undefined;
}

/** A computation (`desc`) with a hardware implementation (`impl`) that may stand in for it. */
export interface TensorIntrin extends Node {
  readonly kind: "tir.TensorIntrin";
  readonly desc: PrimFunc;
  readonly impl: PrimFunc;
}
