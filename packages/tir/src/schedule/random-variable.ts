import { isNode } from "@verticil/ir-core";
import type { Var } from "../ir/expr.ts";

/** A block of the program a schedule works on; follows it through every rewrite. */
export interface BlockRV {
  readonly kind: "BlockRV";
  /** Deals out identity; two variables are the same only if they are the same object. */
  readonly id: number;
}

/** A loop of the program a schedule works on, or a compute location; follows the loop through every rewrite. */
export interface LoopRV {
  readonly kind: "LoopRV";
  readonly id: number;
}

/** An integer that was sampled. A variable of the expression language, so that sums and products can be made of it. */
export type ExprRV = Var;

/** What the instructions of a trace take and give. */
export type RandomVariable = BlockRV | LoopRV | ExprRV;

/** True for the random variable of a block. */
export function isBlockRV(x: unknown): x is BlockRV {
  return typeof x === "object" && x !== null && "kind" in x && x.kind === "BlockRV";
}

/** True for the random variable of a loop. */
export function isLoopRV(x: unknown): x is LoopRV {
  return typeof x === "object" && x !== null && "kind" in x && x.kind === "LoopRV";
}

/** True for a variable of the expression language, which may be a random variable. */
export function isExprRV(x: unknown): x is ExprRV {
  return isNode(x) && x.kind === "tir.Var";
}
