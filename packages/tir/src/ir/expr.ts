import type { FloatImm, IntImm, Node, Op, GlobalVar, PointerType, PrimType } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import type { Buffer } from "./buffer.ts";

/** What every expression node has: the data type of its value (with lanes, if it is a vector). */
interface ExprBase extends Node {
  readonly dtype: DType;
}

/**
 * A variable. Two are the same only if they are the same object; `name` is a hint for printing.
 * A pointer has dtype `handle` and a `typeAnnotation`.
 */
export interface Var extends ExprBase {
  readonly kind: "tir.Var";
  readonly name: string;
  readonly typeAnnotation: PointerType | PrimType | undefined;
}

/** A variable known to be non-negative: the size of a dimension. */
export interface SizeVar extends ExprBase {
  readonly kind: "tir.SizeVar";
  readonly name: string;
  readonly typeAnnotation: undefined;
}

/** A string constant; its dtype is `handle`. */
export interface StringImm extends ExprBase {
  readonly kind: "tir.StringImm";
  readonly value: string;
}

/** Conversion of value, lane by lane; float to integer truncates towards zero. */
export interface Cast extends ExprBase {
  readonly kind: "tir.Cast";
  readonly value: PrimExpr;
}

/** The kinds with two operands of the same type and a result of that type. `Div`/`Mod` truncate; `FloorDiv`/`FloorMod` round down. */
export type ArithKind =
  | "tir.Add"
  | "tir.Sub"
  | "tir.Mul"
  | "tir.Div"
  | "tir.Mod"
  | "tir.FloorDiv"
  | "tir.FloorMod"
  | "tir.Min"
  | "tir.Max";
/** The comparisons; the result is `bool` with the operands' lanes. */
export type CompareKind = "tir.EQ" | "tir.NE" | "tir.LT" | "tir.LE" | "tir.GT" | "tir.GE";
/** Conjunction and disjunction of `bool`; no short circuit is implied. */
export type LogicKind = "tir.And" | "tir.Or";
/** All kinds with operands `a` and `b`. */
export type BinaryKind = ArithKind | CompareKind | LogicKind;

interface Binary<K extends BinaryKind> extends ExprBase {
  readonly kind: K;
  readonly a: PrimExpr;
  readonly b: PrimExpr;
}

export type Add = Binary<"tir.Add">;
export type Sub = Binary<"tir.Sub">;
export type Mul = Binary<"tir.Mul">;
export type Div = Binary<"tir.Div">;
export type Mod = Binary<"tir.Mod">;
export type FloorDiv = Binary<"tir.FloorDiv">;
export type FloorMod = Binary<"tir.FloorMod">;
export type Min = Binary<"tir.Min">;
export type Max = Binary<"tir.Max">;
export type EQ = Binary<"tir.EQ">;
export type NE = Binary<"tir.NE">;
export type LT = Binary<"tir.LT">;
export type LE = Binary<"tir.LE">;
export type GT = Binary<"tir.GT">;
export type GE = Binary<"tir.GE">;
export type And = Binary<"tir.And">;
export type Or = Binary<"tir.Or">;
export type BinaryExpr = Add | Sub | Mul | Div | Mod | FloorDiv | FloorMod | Min | Max | EQ | NE | LT | LE | GT | GE | And | Or;

export interface Not extends ExprBase {
  readonly kind: "tir.Not";
  readonly a: PrimExpr;
}

/** Both values are evaluated; the condition may be a vector. For a branch use the op `tir.if_then_else`. */
export interface Select extends ExprBase {
  readonly kind: "tir.Select";
  readonly condition: PrimExpr;
  readonly trueValue: PrimExpr;
  readonly falseValue: PrimExpr;
}

/** The element (or, with a vector index, the elements) of a buffer; `predicate` masks lanes. */
export interface BufferLoad extends ExprBase {
  readonly kind: "tir.BufferLoad";
  readonly buffer: Buffer;
  readonly indices: readonly PrimExpr[];
  readonly predicate: PrimExpr | undefined;
}

/** A read of another te operation's output; gone after `createPrimFunc`. */
export interface ProducerLoad extends ExprBase {
  readonly kind: "tir.ProducerLoad";
  /** The te tensor; te owns its type. */
  readonly producer: Node;
  readonly indices: readonly PrimExpr[];
}

/** The vector `base, base+stride, …`. */
export interface Ramp extends ExprBase {
  readonly kind: "tir.Ramp";
  readonly base: PrimExpr;
  readonly stride: PrimExpr;
  /** Negative for a multiple of the hardware's `vscale`. */
  readonly lanes: number;
}

/** The vector of `lanes` copies of a scalar. */
export interface Broadcast extends ExprBase {
  readonly kind: "tir.Broadcast";
  readonly value: PrimExpr;
  /** Negative for a multiple of the hardware's `vscale`. */
  readonly lanes: number;
}

/** `value` bound to `bind` in `body`. */
export interface Let extends ExprBase {
  readonly kind: "tir.Let";
  readonly bind: Var;
  readonly value: PrimExpr;
  readonly body: PrimExpr;
}

/** A call of an operator (`tir.exp`, `tir.call_extern`, …) or of another function of the module. */
export interface Call extends ExprBase {
  readonly kind: "tir.Call";
  readonly op: Op | GlobalVar;
  readonly args: readonly PrimExpr[];
}

/** Lanes picked from the concatenation of `vectors`; `indices` are constants. */
export interface Shuffle extends ExprBase {
  readonly kind: "tir.Shuffle";
  readonly vectors: readonly PrimExpr[];
  readonly indices: readonly PrimExpr[];
}

/** A commutative, associative combination with identity, over tuples of values. */
export interface CommReducer extends Node {
  readonly kind: "tir.CommReducer";
  readonly lhs: readonly Var[];
  readonly rhs: readonly Var[];
  readonly result: readonly PrimExpr[];
  readonly identityElement: readonly PrimExpr[];
}

/** A reduction inside te; gone after `createPrimFunc`. The value is number `valueIndex` of the tuple. */
export interface Reduce extends ExprBase {
  readonly kind: "tir.Reduce";
  readonly combiner: CommReducer;
  readonly axis: readonly IterVar[];
  readonly source: readonly PrimExpr[];
  readonly init: readonly PrimExpr[];
  readonly condition: PrimExpr;
  readonly valueIndex: number;
}

/** A half-open interval `[min, min + extent)`. */
export interface Range extends Node {
  readonly kind: "tir.Range";
  readonly min: PrimExpr;
  readonly extent: PrimExpr;
}

/** What an iteration variable stands for. Blocks use the first, third, fourth and fifth: `S`, `R`, `scan`, `opaque`. */
export type IterVarType =
  | "kDataPar"
  | "kThreadIndex"
  | "kCommReduce"
  | "kOrdered"
  | "kOpaque"
  | "kUnrolled"
  | "kVectorized"
  | "kParallelized"
  | "kTensorized";

/** A variable with its domain. `threadTag` is e.g. `blockIdx.x`, else empty. */
export interface IterVar extends Node {
  readonly kind: "tir.IterVar";
  readonly dom: Range | undefined;
  readonly var: Var;
  readonly iterType: IterVarType;
  readonly threadTag: string;
}

/** Every expression with a scalar or vector value. Integer and float constants come from ir-core. */
export type PrimExpr =
  | Var
  | SizeVar
  | IntImm
  | FloatImm
  | StringImm
  | Cast
  | BinaryExpr
  | Not
  | Select
  | BufferLoad
  | ProducerLoad
  | Ramp
  | Broadcast
  | Let
  | Call
  | Shuffle
  | Reduce;

/** A variable of either sort. */
export type AnyVar = Var | SizeVar;
