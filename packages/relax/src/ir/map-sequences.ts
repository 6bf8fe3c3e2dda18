import { mapList } from "@verticil/ir-core";
import type { AnyBindingBlock, Expr, Function, SeqExpr } from "./expr.ts";
import { makeSeqExpr } from "./make.ts";

/**
 * Rewrites the sequences of a function from the inside out: branches and local functions before what holds them. Struct
 * info must stay as it is. Gives back `func` itself if nothing changed.
 */
export function mapSequences(func: Function, f: (seq: SeqExpr) => SeqExpr): Function {
  const body = mapped(func.body, f);
  return body === func.body ? func : { ...func, body };
}

function mapped(expr: Expr, f: (seq: SeqExpr) => SeqExpr): Expr {
  switch (expr.kind) {
    case "relax.SeqExpr": {
      const blocks = mapList(expr.blocks, (block): AnyBindingBlock => {
        const bindings = mapList(block.bindings, (b) => {
          const value = mapped(b.value, f);
          return value === b.value ? b : { ...b, value };
        });
        return bindings === block.bindings ? block : { ...block, bindings };
      });
      return f(blocks === expr.blocks ? expr : makeSeqExpr(blocks, expr.body, expr.span));
    }
    case "relax.If": {
      const trueBranch = mapped(expr.trueBranch, f);
      const falseBranch = mapped(expr.falseBranch, f);
      return trueBranch === expr.trueBranch && falseBranch === expr.falseBranch ? expr : { ...expr, trueBranch, falseBranch };
    }
    case "relax.Function":
      return mapSequences(expr, f);
    default:
      return expr;
  }
}
