import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { add, constant } from "../ir/ops.ts";
import { isEqual, isGreater, isGreaterOrEqual, isLess, isLessOrEqual, isNotEqual, isUnknown, type ArithContext, type CompareResult } from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { isIndexType } from "./rules/compile-rule.ts";

/** `from <= to + offset`, or, if `differs`, `from != to + offset`. Constants are in `offset`; a number alone is 0 plus it. */
interface Fact {
  readonly from: PrimExpr;
  readonly to: PrimExpr;
  readonly offset: number;
  readonly differs: boolean;
}

/** How many facts a chain may join. */
const maxChain = 6;

/**
 * Comparisons that are known of whole expressions: from conditions in force and the ranges of variables. `a` and `b` compare
 * if a fact says so; with `transitivelyProveInequalities` also if a chain of facts does, `a <= b` and `b + 1 <= c` giving
 * `a < c` (upstream's `TransitiveComparisonAnalyzer`).
 */
export class TransitiveComparisons {
  readonly #ctx: ArithContext;
  /** Only chains of facts ask for these. */
  readonly #bound = new Map<AnyVar, Range>();
  #scoped: readonly Fact[] = [];

  constructor(ctx: ArithContext) {
    this.#ctx = ctx;
  }

  /** A variable is at least the minimum of its range, and below its end. */
  bind(v: AnyVar, range: Range): void {
    if (isIndexType(v.dtype) && range.min.dtype === v.dtype && range.extent.dtype === v.dtype) this.#bound.set(v, range);
  }

  /** Puts facts in force; the result takes them out again. */
  enter(facts: readonly PrimExpr[]): () => void {
    const before = this.#scoped;
    const found = facts.flatMap(factsOf);
    if (found.length > 0) this.#scoped = [...before, ...found];
    return () => {
      this.#scoped = before;
    };
  }

  compare(a: PrimExpr, b: PrimExpr): CompareResult {
    if (this.#scoped.length === 0 && (this.#bound.size === 0 || this.#ctx.extensions.transitivelyProveInequalities !== true)) return isUnknown;
    if (!isIndexType(a.dtype) || a.dtype !== b.dtype) return isUnknown;
    const [[x, p], [y, q]] = [split(a), split(b)];
    // a ? b is x - y ? q - p.
    const gap = q - p;
    let result = isUnknown;
    const above = this.#distance(x, y);
    if (above < gap) result &= isLess;
    else if (above === gap) result &= isLessOrEqual;
    const below = -this.#distance(y, x);
    if (below > gap) result &= isGreater;
    else if (below === gap) result &= isGreaterOrEqual;
    if ((result & isEqual) !== 0 && this.#differ(x, y, gap)) result &= isNotEqual;
    return result;
  }

  #differ(x: PrimExpr, y: PrimExpr, gap: number): boolean {
    return this.#scoped.some(
      (f) =>
        f.differs &&
        ((f.offset === gap && exprDeepEqual(f.from, x) && exprDeepEqual(f.to, y)) ||
          (f.offset === -gap && exprDeepEqual(f.from, y) && exprDeepEqual(f.to, x))),
    );
  }

  /** The least `d` with `from <= to + d` that the facts give: shortest paths, for a few steps. */
  #distance(from: PrimExpr, to: PrimExpr): number {
    if (exprDeepEqual(from, to)) return 0;
    const facts = this.#facts().filter((f) => !f.differs);
    const steps = this.#ctx.extensions.transitivelyProveInequalities === true ? maxChain : 1;
    const reached: { readonly expr: PrimExpr; at: number }[] = [{ expr: from, at: 0 }];
    let best = Infinity;
    for (let step = 0; step < steps; step++) {
      let changed = false;
      // Only what was reached before this step: a step is one fact.
      const before = reached.map((r) => ({ ...r }));
      for (const f of facts) {
        const start = before.find((r) => exprDeepEqual(r.expr, f.from));
        if (start === undefined) continue;
        const at = start.at + f.offset;
        const end = reached.find((r) => exprDeepEqual(r.expr, f.to));
        if (end === undefined) reached.push({ expr: f.to, at });
        else if (at < end.at) end.at = at;
        else continue;
        changed = true;
        if (at < best && exprDeepEqual(f.to, to)) best = at;
      }
      if (!changed) break;
    }
    return best;
  }

  #facts(): readonly Fact[] {
    if (this.#ctx.extensions.transitivelyProveInequalities !== true) return this.#scoped;
    return [...this.#scoped, ...[...this.#bound].flatMap(([v, { min, extent }]) => [...atMost(min, v, 0), ...atMost(v, add(min, extent), -1)])];
  }
}

/** An expression without its constant summand, and that. */
function split(e: PrimExpr): readonly [PrimExpr, number] {
  if (e.kind === "ir.IntImm" && typeof e.value === "number") return [constant(0, e.dtype), e.value];
  if ((e.kind === "tir.Add" || e.kind === "tir.Sub") && e.b.kind === "ir.IntImm" && typeof e.b.value === "number") {
    const [rest, c] = split(e.a);
    return [rest, e.kind === "tir.Add" ? c + e.b.value : c - e.b.value];
  }
  return [e, 0];
}

/** `a <= b + offset`. */
function atMost(a: PrimExpr, b: PrimExpr, offset: number): Fact[] {
  const [[x, p], [y, q]] = [split(a), split(b)];
  return x.kind === "ir.IntImm" && y.kind === "ir.IntImm" ? [] : [{ from: x, to: y, offset: q - p + offset, differs: false }];
}

function factsOf(cond: PrimExpr): Fact[] {
  if (!("b" in cond) || !isIndexType(cond.a.dtype)) return [];
  const { a, b } = cond;
  switch (cond.kind) {
    case "tir.EQ":
      return [...atMost(a, b, 0), ...atMost(b, a, 0)];
    case "tir.NE":
      return atMost(a, b, 0).map((f) => ({ ...f, differs: true }));
    case "tir.LT":
      return atMost(a, b, -1);
    case "tir.LE":
      return atMost(a, b, 0);
    case "tir.GT":
      return atMost(b, a, -1);
    case "tir.GE":
      return atMost(b, a, 0);
    default:
      return [];
  }
}
