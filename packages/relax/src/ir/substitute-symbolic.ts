import { mapList } from "@verticil/ir-core";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import type { Expr } from "./expr.ts";
import { substituteDim, substituteStructInfo } from "./infer-call.ts";
import { makePrimValue, makeShapeExpr } from "./make.ts";

/**
 * An operand expression (call, tuple, shape, …) with symbolic variables replaced, in struct info too. Variables stay as
 * they are: whoever renames them gives them their new struct info.
 */
export function substituteSymbolic(expr: Expr, map: ReadonlyMap<TirVar, PrimExpr>): Expr {
  if (map.size === 0) return expr;
  switch (expr.kind) {
    case "relax.ShapeExpr": {
      const values = mapList(expr.values, (v) => substituteDim(v, map));
      return values === expr.values ? expr : makeShapeExpr(values, expr.span);
    }
    case "relax.PrimValue": {
      const value = substituteDim(expr.value, map);
      return value === expr.value ? expr : makePrimValue(value, expr.span);
    }
    case "relax.Tuple": {
      const fields = mapList(expr.fields, (f) => substituteSymbolic(f, map));
      return { ...expr, fields, structInfo: expr.structInfo && substituteStructInfo(expr.structInfo, map) };
    }
    case "relax.TupleGetItem":
      return { ...expr, tuple: substituteSymbolic(expr.tuple, map), structInfo: expr.structInfo && substituteStructInfo(expr.structInfo, map) };
    case "relax.Call":
      return {
        ...expr,
        args: mapList(expr.args, (a) => substituteSymbolic(a, map)),
        sinfoArgs: mapList(expr.sinfoArgs, (i) => substituteStructInfo(i, map)),
        structInfo: expr.structInfo && substituteStructInfo(expr.structInfo, map),
      };
    default:
      return expr;
  }
}
