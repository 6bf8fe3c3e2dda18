import { Analyzer, conjuncts } from "../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { add, allOf, and, ge, isConstInt, lt, sub } from "../ir/ops.ts";
import type { BlockRealize, For } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { refuse } from "./schedule-error.ts";

/**
 * The condition of a block said of its variables instead of the loops that bind them, for a block that gets other loops:
 * what it asks beyond that the variables are in their domains. Refuses a condition that cannot be said so.
 */
export function conditionOnVars(realize: BlockRealize, loops: readonly For[]): PrimExpr {
  if (isConstInt(realize.predicate, 1)) return realize.predicate;
  const analyzer = new Analyzer();
  for (const l of loops) analyzer.bind(l.loopVar, makeRange(l.min, l.extent));
  const kept = analyzer.withConstraint(inDomains(realize), () => conjuncts(realize.predicate).filter((c) => !analyzer.canProve(c)));
  return allOf(kept.map((c) => onVars(c, realize, loops, analyzer)));
}

function inDomains({ block, iterValues }: BlockRealize): PrimExpr {
  return allOf(
    block.iterVars.flatMap(({ dom }, i) => {
      const value = iterValues[i];
      return dom === undefined || value === undefined ? [] : [and(ge(value, dom.min), lt(value, add(dom.min, dom.extent)))];
    }),
  );
}

function onVars(c: PrimExpr, realize: BlockRealize, loops: readonly For[], analyzer: Analyzer): PrimExpr {
  const own = new Set<AnyVar>(loops.map((l) => l.loopVar));
  const isOwn = (v: AnyVar): boolean => own.has(v);
  if (!usesVar(c, isOwn)) return c;
  const said = substitute(c, varsBoundTo(realize, own));
  if (!usesVar(said, isOwn)) return said;
  const excess = excessOf(c);
  if (excess !== undefined) {
    for (const [i, iv] of realize.block.iterVars.entries()) {
      const value = realize.iterValues[i];
      if (value === undefined) continue;
      const above = analyzer.simplify(sub(excess, value));
      if (!usesVar(above, isOwn)) return lt(add(iv.var, above), 0);
      const below = analyzer.simplify(add(excess, value));
      if (!usesVar(below, isOwn)) return lt(below, iv.var);
    }
  }
  return refuse(
    `the condition of block \`${realize.block.name}\` is on loops that it would lose`,
    [c, realize.block],
    "Do this before the loops are split into parts that do not fit.",
  );
}

/** For loops that a variable is bound to as they are, the variable. */
function varsBoundTo({ block, iterValues }: BlockRealize, loops: ReadonlySet<AnyVar>): ReadonlyMap<AnyVar, PrimExpr> {
  const found = new Map<AnyVar, PrimExpr>();
  for (const [i, iv] of block.iterVars.entries()) {
    const value = iterValues[i];
    if (value?.kind === "tir.Var" && loops.has(value)) found.set(value, iv.var);
  }
  return found;
}

/** What is negative exactly where a comparison holds; undefined of other conditions. */
export function excessOf(c: PrimExpr): PrimExpr | undefined {
  switch (c.kind) {
    case "tir.LT":
      return sub(c.a, c.b);
    case "tir.GT":
      return sub(c.b, c.a);
    case "tir.LE":
      return sub(sub(c.a, c.b), 1);
    case "tir.GE":
      return sub(sub(c.b, c.a), 1);
    default:
      return undefined;
  }
}
