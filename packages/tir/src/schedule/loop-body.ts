import { Analyzer } from "../arith/analyzer.ts";
import { iterMapSimplify } from "../arith/iter-map-simplify.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { and, cast, isConstInt } from "../ir/ops.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { refuse } from "./schedule-error.ts";

/** Binding values inside `s` in the short form of iterator maps, given the loops around it. Not inside blocks, unless they have no variables. */
export function simplifyBindings(s: Stmt, around: readonly For[], preserveUnitIters: boolean): Stmt {
  const loops = new Map<AnyVar, Range>(around.map((l) => [l.loopVar, makeRange(l.min, l.extent)]));
  const analyzer = new Analyzer();
  const visit = (x: Stmt): Stmt => {
    if (x.kind === "tir.For") {
      loops.set(x.loopVar, makeRange(x.min, x.extent));
      const out = mapSubStmts(x, visit);
      loops.delete(x.loopVar);
      return out;
    }
    if (x.kind === "tir.BlockRealize" && x.iterValues.length > 0) {
      const iterValues = iterMapSimplify(x.iterValues, loops, {
        predicate: x.predicate,
        level: "surjective",
        analyzer,
        simplifyTrivial: !preserveUnitIters,
      });
      return { ...x, iterValues };
    }
    return mapSubStmts(x, visit);
  };
  return visit(s);
}

/** Adds a condition to the outermost blocks inside `s`. */
export function appendPredicate(s: Stmt, predicate: PrimExpr): Stmt {
  const visit = (x: Stmt): Stmt => {
    if (x.kind !== "tir.BlockRealize") return mapSubStmts(x, visit);
    return { ...x, predicate: and(x.predicate, predicate) };
  };
  return visit(s);
}

/** Loop variables replaced, the values cast to their types. */
export function substituteLoops(s: Stmt, values: ReadonlyMap<AnyVar, PrimExpr>): Stmt {
  return substitute(s, new Map([...values].map(([v, e]) => [v, cast(v.dtype, e)])));
}

/** Refuses a loop with annotations or bound to a thread. */
export function requirePlain(loop: For): void {
  if (loop.forKind === "thread_binding" || loop.threadBinding !== undefined) {
    refuse(`loop \`${loop.loopVar.name}\` is bound to a thread`, loop, "Change the loop before it is bound.");
  }
  const [key] = Object.keys(loop.annotations);
  if (key !== undefined) refuse(`loop \`${loop.loopVar.name}\` has the annotation \`${key}\``, loop, "Change the loop before it is annotated, or call `unannotate`.");
}

/** Refuses a loop that does not start at 0. */
export function requireFromZero(loop: For): void {
  if (!isConstInt(new Analyzer().simplify(loop.min), 0)) refuse(`loop \`${loop.loopVar.name}\` does not start at 0`, loop);
}

/** Refuses if `inner` is not the whole body of `outer`. */
export function requireOnlyChild(outer: For, inner: For): void {
  if (outer.body !== inner) {
    refuse(`loop \`${inner.loopVar.name}\` is not all there is in loop \`${outer.loopVar.name}\``, [outer, inner], "List directly nested loops, outermost first.");
  }
}

