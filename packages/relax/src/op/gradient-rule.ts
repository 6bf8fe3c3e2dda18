import type { AttrMap } from "@verticil/ir-core";
import type { Call, Expr } from "../ir/expr.ts";

/** What a gradient rule may use. */
export interface GradientBuilder {
  /** Binds a call of an operator, by its name without `relax.`, to a new variable. */
  op(name: string, args: readonly Expr[], attrs?: AttrMap): Expr;
}

/** The call to differentiate. */
export interface GradientCall {
  readonly call: Call;
  /** The variable that holds the call's result. */
  readonly output: Expr;
  /** The gradient of the result: a tensor like it, or a tuple of them. */
  readonly grad: Expr;
}

/**
 * The gradients of a call's arguments, one each; undefined for an argument that has none. For a tuple of tensors, a
 * tuple or an operator's result that is one.
 */
export type GradientRule = (of: GradientCall, b: GradientBuilder) => readonly (Expr | undefined)[];

/** Rules by the operator's full name. */
export type GradientTable = ReadonlyMap<string, GradientRule>;
