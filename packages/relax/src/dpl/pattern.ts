import { makeOp, type AttrMap } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { Expr } from "../ir/expr.ts";
import { makeShapeExpr, type Dim } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/** Matches an expression that is structurally equal. */
export interface ExprPattern {
  readonly kind: "dpl.Expr";
  readonly expr: Expr;
}

/** Matches a variable; of that name, if there is one. */
export interface VarPattern {
  readonly kind: "dpl.Var" | "dpl.DataflowVar";
  readonly name: string | undefined;
}

/** Matches a function of the module whose name holds `name`. */
export interface GlobalVarPattern {
  readonly kind: "dpl.GlobalVar";
  readonly name: string;
}

/** Matches a function of the runtime; of that name, if there is one. */
export interface ExternFuncPattern {
  readonly kind: "dpl.ExternFunc";
  readonly name: string | undefined;
}

export interface ConstantPattern {
  readonly kind: "dpl.Constant";
}

/** Matches a call. With `varArgs` the call may have more arguments than there are patterns. */
export interface CallPattern {
  readonly kind: "dpl.Call";
  readonly op: DFPattern;
  readonly args: readonly DFPattern[];
  readonly varArgs: boolean;
}

export interface FunctionPattern {
  readonly kind: "dpl.Function";
  readonly params: readonly DFPattern[];
  readonly body: DFPattern;
}

/** Matches a tuple, field by field; `unordered`: in any order. */
export interface TuplePattern {
  readonly kind: "dpl.Tuple";
  readonly fields: readonly DFPattern[];
  readonly unordered: boolean;
}

/** Matches a field taken out of a tuple; without an index, any. */
export interface TupleGetItemPattern {
  readonly kind: "dpl.TupleGetItem";
  readonly tuple: DFPattern;
  readonly index: number | undefined;
}

export interface AndPattern {
  readonly kind: "dpl.And";
  readonly left: DFPattern;
  readonly right: DFPattern;
}

export interface OrPattern {
  readonly kind: "dpl.Or";
  readonly left: DFPattern;
  readonly right: DFPattern;
}

export interface NotPattern {
  readonly kind: "dpl.Not";
  readonly reject: DFPattern;
}

export interface WildcardPattern {
  readonly kind: "dpl.Wildcard";
}

export interface DataTypePattern {
  readonly kind: "dpl.DataType";
  readonly pattern: DFPattern;
  readonly dtype: ScalarDType;
}

export interface ShapePattern {
  readonly kind: "dpl.Shape";
  readonly pattern: DFPattern;
  readonly shape: readonly PrimExpr[];
}

export interface AttrPattern {
  readonly kind: "dpl.Attr";
  readonly pattern: DFPattern;
  readonly attrs: AttrMap;
}

/** Matches what may stand where the struct info is asked for. Its symbolic variables stand for what they meet first. */
export interface StructInfoPattern {
  readonly kind: "dpl.StructInfo";
  readonly pattern: DFPattern;
  readonly structInfo: StructInfo;
}

/** Matches a shape as a value. */
export interface PrimArrPattern {
  readonly kind: "dpl.PrimArr";
  readonly values: readonly PrimExpr[];
}

/**
 * A pattern over graph expressions (upstream's `DFPattern`). Patterns are equal by identity: one that stands twice in
 * another must match the same expression both times.
 */
export type DFPattern =
  | ExprPattern
  | VarPattern
  | GlobalVarPattern
  | ExternFuncPattern
  | ConstantPattern
  | CallPattern
  | FunctionPattern
  | TuplePattern
  | TupleGetItemPattern
  | AndPattern
  | OrPattern
  | NotPattern
  | WildcardPattern
  | DataTypePattern
  | ShapePattern
  | AttrPattern
  | StructInfoPattern
  | PrimArrPattern;

/** Anything. */
export function wildcard(): WildcardPattern {
  return { kind: "dpl.Wildcard" };
}

/** An expression that equals `expr`. */
export function isExpr(expr: Expr): ExprPattern {
  return { kind: "dpl.Expr", expr };
}

/** The operator of this name, as the callee of `isCall`. */
export function isOp(name: string): ExprPattern {
  return isExpr(makeOp(name));
}

/** Options of patterns over calls. */
export interface CallPatternOptions {
  /** The call may have more arguments than there are patterns (upstream's `varg_default_wildcard`). */
  readonly varArgs?: boolean;
}

/** A call of `callee` (an operator by name, or a pattern) with these arguments. */
export function isCall(callee: string | DFPattern, args: readonly DFPattern[] = [], opts: CallPatternOptions = {}): CallPattern {
  return { kind: "dpl.Call", op: typeof callee === "string" ? isOp(callee) : callee, args, varArgs: opts.varArgs ?? false };
}

/** A constant, bound to a variable or not. */
export function isConst(): ConstantPattern {
  return { kind: "dpl.Constant" };
}

/** A variable, of that name if one is given. */
export function isVar(name?: string): VarPattern {
  return { kind: "dpl.Var", name };
}

/** A variable that is local to a dataflow block. */
export function isDataflowVar(name?: string): VarPattern {
  return { kind: "dpl.DataflowVar", name };
}

/** A function of the module whose name holds `name`. */
export function isGlobalVar(name = ""): GlobalVarPattern {
  return { kind: "dpl.GlobalVar", name };
}

/** A function of the runtime. */
export function isExternFunc(name?: string): ExternFuncPattern {
  return { kind: "dpl.ExternFunc", name };
}

/** A tuple with these fields; with `unordered` in any order. */
export function isTuple(fields: readonly DFPattern[], opts: { readonly unordered?: boolean } = {}): TuplePattern {
  return { kind: "dpl.Tuple", fields, unordered: opts.unordered ?? false };
}

/** A field taken out of a tuple; without an index, any. */
export function isTupleGetItem(tuple: DFPattern, index?: number): TupleGetItemPattern {
  return { kind: "dpl.TupleGetItem", tuple, index };
}

/** A local function. */
export function isFunction(params: readonly DFPattern[], body: DFPattern): FunctionPattern {
  return { kind: "dpl.Function", params, body };
}

/** A shape as a value. */
export function isShape(values: readonly Dim[]): PrimArrPattern {
  return { kind: "dpl.PrimArr", values: makeShapeExpr(values).values };
}

const argsTuple = (args: readonly DFPattern[] | undefined): DFPattern => (args === undefined ? wildcard() : isTuple(args));

/** A `call_tir` of a tensor program whose name holds `name`; without `args`, with any. `tirVars`: the shape passed beside them. */
export function isCallTIR(name: string, args?: readonly DFPattern[], tirVars?: DFPattern): CallPattern {
  return isCall("relax.call_tir", [isGlobalVar(name), argsTuple(args), ...(tirVars === undefined ? [] : [tirVars])]);
}

/** A `call_dps_packed` of the runtime's function `name`; without `args`, with any. */
export function isCallDPSPacked(name?: string, args?: readonly DFPattern[]): CallPattern {
  return isCall("relax.call_dps_packed", [isExternFunc(name), argsTuple(args)], { varArgs: true });
}

/** A call of the runtime's function `name`; without `args`, with any. */
export function isCallPacked(name?: string, args?: readonly DFPattern[]): CallPattern {
  return isCall(isExternFunc(name), args ?? [], { varArgs: args === undefined });
}

/** Both patterns match. */
export function and(left: DFPattern, right: DFPattern): AndPattern {
  return { kind: "dpl.And", left, right };
}

/** One of the patterns matches; the first that does counts. */
export function or(left: DFPattern, ...others: readonly DFPattern[]): DFPattern {
  return others.reduce<DFPattern>((a, right) => ({ kind: "dpl.Or", left: a, right }), left);
}

/** The pattern does not match. */
export function not(reject: DFPattern): NotPattern {
  return { kind: "dpl.Not", reject };
}

/** The pattern, of a tensor of this dtype. */
export function hasDtype(pattern: DFPattern, dtype: ScalarDType): DataTypePattern {
  return { kind: "dpl.DataType", pattern, dtype };
}

/** The pattern, of a tensor whose shape is provably this. */
export function hasShape(pattern: DFPattern, shape: readonly Dim[]): ShapePattern {
  return { kind: "dpl.Shape", pattern, shape: makeShapeExpr(shape).values };
}

/** The pattern, of a call or function that has these attributes among others. */
export function hasAttr(pattern: DFPattern, attrs: AttrMap): AttrPattern {
  return { kind: "dpl.Attr", pattern, attrs };
}

/** The pattern, of a value that may stand where `structInfo` is asked for. */
export function hasStructInfo(pattern: DFPattern, structInfo: StructInfo): StructInfoPattern {
  return { kind: "dpl.StructInfo", pattern, structInfo };
}

/** An operation on two operands, with a bias added and an activation applied if asked (upstream's `make_fused_bias_activation_pattern`). */
export function makeFusedBiasActivationPattern(op: string, opts: { readonly withBias?: boolean; readonly activation?: string } = {}): CallPattern {
  const call = isCall(op, [wildcard(), wildcard()]);
  const biased = opts.withBias === true ? isCall("relax.add", [call, wildcard()]) : call;
  return opts.activation === undefined ? biased : isCall(opts.activation, [biased]);
}
