import type { PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";

const SIGNS: Readonly<Record<string, string>> = {
  "tir.Add": "+",
  "tir.Sub": "-",
  "tir.Mul": "*",
  "tir.Div": "/",
  "tir.Mod": "%",
  "tir.LT": "<",
  "tir.LE": "<=",
  "tir.GT": ">",
  "tir.GE": ">=",
  "tir.EQ": "==",
  "tir.NE": "!=",
  "tir.And": "&&",
  "tir.Or": "||",
};

/** An expression as upstream's plain notation has it; decides between computations of one size. */
export function textOf(e: PrimExpr): string {
  if (isBinary(e)) {
    const sign = SIGNS[e.kind];
    return sign === undefined ? `${e.kind.slice(4).toLowerCase()}(${textOf(e.a)}, ${textOf(e.b)})` : `(${textOf(e.a)} ${sign} ${textOf(e.b)})`;
  }
  if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return e.name;
  if (e.kind === "ir.IntImm" || e.kind === "ir.FloatImm") return String(e.value);
  if (e.kind === "tir.Cast") return `${e.dtype}(${textOf(e.value)})`;
  if (e.kind === "tir.Select") return `select(${textOf(e.condition)}, ${textOf(e.trueValue)}, ${textOf(e.falseValue)})`;
  return e.kind;
}
