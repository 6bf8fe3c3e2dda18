import type { PrimExpr } from "@verticil/tir";

/** An expression, simplified before it is stored in a block. */
export type Simplify = (e: PrimExpr) => PrimExpr;

/** Leaves expressions as the folding operators made them. */
export const asIs: Simplify = (e) => e;
