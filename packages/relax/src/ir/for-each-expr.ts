import type { Binding, Expr } from "./expr.ts";

/**
 * Calls `visit` on an expression and on what it is made of, in order of evaluation, sequences, branches and local functions
 * included; what an expression is made of is passed over where `visit` gives false. A callee that is an operator or a
 * function of the module is part of its call, and not visited. `onBinding` is called after the value of each binding.
 */
export function forEachExpr(expr: Expr, visit: (e: Expr) => boolean | void, onBinding?: (b: Binding) => void): void {
  const walk = (e: Expr): void => {
    if (visit(e) === false) return;
    switch (e.kind) {
      case "relax.Call":
        if (e.op.kind !== "ir.GlobalVar" && e.op.kind !== "ir.Op") walk(e.op);
        e.args.forEach(walk);
        return;
      case "relax.Tuple":
        e.fields.forEach(walk);
        return;
      case "relax.TupleGetItem":
        walk(e.tuple);
        return;
      case "relax.If":
        [e.cond, e.trueBranch, e.falseBranch].forEach(walk);
        return;
      case "relax.Function":
        walk(e.body);
        return;
      case "relax.SeqExpr":
        for (const block of e.blocks) {
          for (const b of block.bindings) {
            walk(b.value);
            onBinding?.(b);
          }
        }
        walk(e.body);
        return;
      default:
        return;
    }
  };
  walk(expr);
}
