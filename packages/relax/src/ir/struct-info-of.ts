import type { Expr } from "./expr.ts";
import type { StructInfo, TensorStructInfo } from "./struct-info.ts";

/** The struct info of an expression, undefined for operators, global variables and what is not normalized yet. */
export function structInfoOf(expr: Expr): StructInfo | undefined {
  return "structInfo" in expr ? expr.structInfo : undefined;
}

/** The struct info of an expression that must be a tensor. @throws TypeError if it is not known to be one. */
export function tensorInfoOf(expr: Expr): TensorStructInfo {
  const info = structInfoOf(expr);
  if (info?.kind !== "relax.TensorStructInfo") throw new TypeError(`A tensor was expected, not ${info?.kind ?? expr.kind}.`);
  return info;
}
