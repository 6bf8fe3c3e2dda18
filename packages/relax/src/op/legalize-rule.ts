import type { Operand, Tensor as TeTensor } from "@verticil/te";
import type { AnyVar, Call, Expr } from "../ir/expr.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/** A computation on te tensors: one a tensor argument, tuples flattened. */
export type TeFunction = (...tensors: readonly TeTensor[]) => TeTensor | readonly TeTensor[];

/** A computation on tensors and scalars, one an argument. */
export type OperandFunction = (...operands: readonly Operand[]) => TeTensor | readonly TeTensor[];

/** What a legalization may use to build its replacement. */
export interface LegalizeBuilder {
  /**
   * A `call_tir` of the tensor program that `fn` computes on placeholders like `args`, added to the module under a name
   * made from `name` (upstream's `call_te`). Its result is what `fn` gives: a tensor, or a tuple of them.
   * @throws TypeError if an argument is not a tensor of known shape and dtype.
   */
  callTe(fn: TeFunction, args: readonly Expr[], opts?: { readonly name?: string }): Call;
  /** Like `callTe` for arguments that may be scalars (`R.Prim`), which the program takes by value. */
  callTeOperands(fn: OperandFunction, args: readonly Expr[], opts?: { readonly name?: string }): Call;
  /** Binds a value to a new variable before the call at hand. */
  emit(value: Expr, nameHint?: string): AnyVar;
  /** Binds a value whose struct info is checked when the program runs, and defines the symbolic sizes that are new in it. */
  matchCast(value: Expr, structInfo: StructInfo, nameHint?: string): AnyVar;
}

/**
 * How a call of an operator becomes calls of tensor programs; undefined leaves the call as it is (a shape that is not
 * known, an operator that the virtual machine runs).
 */
export type LegalizeRule = (call: Call, bb: LegalizeBuilder) => Expr | undefined;

/** Rules by the operator's full name. */
export type LegalizeTable = ReadonlyMap<string, LegalizeRule>;
