import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { isUnknown, type ArithContext, type CompareResult } from "./context.ts";

/** Known comparisons between expressions. */
export class TransitiveComparisons {
  readonly #ctx: ArithContext;
  constructor(ctx: ArithContext) {
    this.#ctx = ctx;
  }
  bind(_v: AnyVar, _range: Range): void {}
  enter(_facts: readonly PrimExpr[]): () => void {
    return () => undefined;
  }
  compare(_a: PrimExpr, _b: PrimExpr): CompareResult {
    return this.#ctx.extensions.transitivelyProveInequalities === undefined ? isUnknown : isUnknown;
  }
}
