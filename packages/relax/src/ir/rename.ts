import { mapList } from "@verticil/ir-core";
import type { AnyVar, Expr } from "./expr.ts";
import { makeSeqExpr } from "./make.ts";

/** An expression with variables replaced, inner sequences included. Struct info is kept: the replacements have the same. */
export function renameExpr(expr: Expr, map: ReadonlyMap<AnyVar, Expr>): Expr {
  if (map.size === 0) return expr;
  switch (expr.kind) {
    case "relax.Var":
    case "relax.DataflowVar":
      return map.get(expr) ?? expr;
    case "relax.Call": {
      const op = expr.op.kind === "ir.Op" || expr.op.kind === "ir.GlobalVar" ? expr.op : renameExpr(expr.op, map);
      const args = mapList(expr.args, (a) => renameExpr(a, map));
      return op === expr.op && args === expr.args ? expr : { ...expr, op, args };
    }
    case "relax.Tuple": {
      const fields = mapList(expr.fields, (f) => renameExpr(f, map));
      return fields === expr.fields ? expr : { ...expr, fields };
    }
    case "relax.TupleGetItem": {
      const tuple = renameExpr(expr.tuple, map);
      return tuple === expr.tuple ? expr : { ...expr, tuple };
    }
    case "relax.If": {
      const cond = renameExpr(expr.cond, map);
      const trueBranch = renameExpr(expr.trueBranch, map);
      const falseBranch = renameExpr(expr.falseBranch, map);
      const same = cond === expr.cond && trueBranch === expr.trueBranch && falseBranch === expr.falseBranch;
      return same ? expr : { ...expr, cond, trueBranch, falseBranch };
    }
    case "relax.SeqExpr": {
      const blocks = mapList(expr.blocks, (block) => {
        const bindings = mapList(block.bindings, (b) => {
          const value = renameExpr(b.value, map);
          return value === b.value ? b : { ...b, value };
        });
        return bindings === block.bindings ? block : { ...block, bindings };
      });
      const body = renameExpr(expr.body, map);
      return blocks === expr.blocks && body === expr.body ? expr : makeSeqExpr(blocks, body, expr.span);
    }
    case "relax.Function": {
      const body = renameExpr(expr.body, map);
      return body === expr.body ? expr : { ...expr, body };
    }
    default:
      return expr;
  }
}
