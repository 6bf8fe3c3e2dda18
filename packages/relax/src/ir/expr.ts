import type { AttrMap, BaseFunc, GlobalVar, Node, Op } from "@verticil/ir-core";
import type { DType, Tensor } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { StructInfo } from "./struct-info.ts";

/** What every expression has. `structInfo` is filled in by normalization. */
interface ExprBase extends Node {
  readonly structInfo: StructInfo | undefined;
}

/** A variable; equal by identity, `name` is a hint. */
export interface Var extends ExprBase {
  readonly kind: "relax.Var";
  readonly name: string;
}

/** A variable that is visible only inside its dataflow block. */
export interface DataflowVar extends ExprBase {
  readonly kind: "relax.DataflowVar";
  readonly name: string;
}

/** A constant tensor. */
export interface Constant extends ExprBase {
  readonly kind: "relax.Constant";
  readonly data: Tensor;
}

export interface Tuple extends ExprBase {
  readonly kind: "relax.Tuple";
  readonly fields: readonly Expr[];
}

export interface TupleGetItem extends ExprBase {
  readonly kind: "relax.TupleGetItem";
  readonly tuple: Expr;
  readonly index: number;
}

/** A shape as a value; int64 expressions. */
export interface ShapeExpr extends ExprBase {
  readonly kind: "relax.ShapeExpr";
  readonly values: readonly PrimExpr[];
}

/** A scalar as a value. */
export interface PrimValue extends ExprBase {
  readonly kind: "relax.PrimValue";
  readonly value: PrimExpr;
}

export interface StringImm extends ExprBase {
  readonly kind: "relax.StringImm";
  readonly value: string;
}

export interface DataTypeImm extends ExprBase {
  readonly kind: "relax.DataTypeImm";
  readonly value: DType;
}

/** A call of an operator, a function of the module, a local closure or an external function. */
export interface Call extends ExprBase {
  readonly kind: "relax.Call";
  readonly op: Op | GlobalVar | Expr;
  readonly args: readonly Expr[];
  /** The operator's attributes, validated by its schema. */
  readonly attrs: AttrMap;
  /** The struct info of the result where it cannot be derived (`call_tir`, `call_packed`). */
  readonly sinfoArgs: readonly StructInfo[];
}

export interface If extends ExprBase {
  readonly kind: "relax.If";
  readonly cond: Expr;
  readonly trueBranch: Expr;
  readonly falseBranch: Expr;
}

/** Binding blocks followed by a result, which in normal form is a variable or another leaf. */
export interface SeqExpr extends ExprBase {
  readonly kind: "relax.SeqExpr";
  readonly blocks: readonly AnyBindingBlock[];
  readonly body: Expr;
}

export interface VarBinding extends Node {
  readonly kind: "relax.VarBinding";
  readonly var: AnyVar;
  readonly value: Expr;
}

/** Checks `value` against `structInfo` at run time and binds the symbolic variables in it. */
export interface MatchCast extends Node {
  readonly kind: "relax.MatchCast";
  readonly var: AnyVar;
  readonly value: Expr;
  readonly structInfo: StructInfo;
}

export interface BindingBlock extends Node {
  readonly kind: "relax.BindingBlock";
  readonly bindings: readonly Binding[];
}

/** Bindings without control flow or side effects; only `Var`s are visible outside. */
export interface DataflowBlock extends Node {
  readonly kind: "relax.DataflowBlock";
  readonly bindings: readonly Binding[];
}

/** A graph-level function, in a module or local (a closure). */
export interface Function extends BaseFunc {
  readonly kind: "relax.Function";
  readonly structInfo: StructInfo | undefined;
  readonly params: readonly Var[];
  readonly body: Expr;
  readonly retStructInfo: StructInfo;
  readonly isPure: boolean;
  readonly attrs: AttrMap;
}

/** A function of the runtime, by name. */
export interface ExternFunc extends BaseFunc {
  readonly kind: "relax.ExternFunc";
  readonly structInfo: StructInfo | undefined;
  readonly globalSymbol: string;
  readonly attrs: AttrMap;
}

export type AnyVar = Var | DataflowVar;
export type Binding = VarBinding | MatchCast;
export type AnyBindingBlock = BindingBlock | DataflowBlock;

/** Every graph-level expression. Operators and global variables stand where they are called or passed on. */
export type Expr =
  | Var
  | DataflowVar
  | Constant
  | Tuple
  | TupleGetItem
  | ShapeExpr
  | PrimValue
  | StringImm
  | DataTypeImm
  | Call
  | If
  | SeqExpr
  | Function
  | ExternFunc
  | GlobalVar
  | Op;
