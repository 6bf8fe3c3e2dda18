import { forEachUse } from "../analysis/variables.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { MixedPrecisionTable } from "../op/mixed-precision.ts";

/** How the uses of a tensor want it: not used, float16 by all, or some as it is; one for each field of a tuple. */
export type Need = "unused" | "half" | "full" | readonly Need[];

/**
 * What the uses of each variable want. Only what a dataflow block computes for itself, and the parameters, may be kept in
 * float16: the others are full.
 */
export function needsOf(func: Function, policies: MixedPrecisionTable): ReadonlyMap<AnyVar, Need> {
  const needs = new Map<AnyVar, Need>();
  new Collector(needs, policies).visit(func.body);
  const params = new Set<AnyVar>(func.params);
  for (const v of needs.keys()) if (v.kind === "relax.Var" && !params.has(v)) needs.set(v, "full");
  return needs;
}

class Collector {
  readonly #needs: Map<AnyVar, Need>;
  readonly #policies: MixedPrecisionTable;

  constructor(needs: Map<AnyVar, Need>, policies: MixedPrecisionTable) {
    this.#needs = needs;
    this.#policies = policies;
  }

  visit(expr: Expr): void {
    if (expr.kind !== "relax.SeqExpr") return this.#require(expr, "full");
    this.#require(expr.body, "full");
    for (const block of [...expr.blocks].reverse()) {
      for (const b of [...block.bindings].reverse()) {
        if (block.kind === "relax.DataflowBlock") this.#binding(b);
        else this.#plain(b.value);
      }
    }
  }

  #plain(value: Expr): void {
    if (value.kind === "relax.If") {
      this.#require(value.cond, "full");
      this.visit(value.trueBranch);
      this.visit(value.falseBranch);
    } else if (value.kind === "relax.SeqExpr") this.visit(value);
    else forEachUse(value, (v) => this.#require(v, "full"));
  }

  #binding({ var: v, value }: Binding): void {
    switch (value.kind) {
      case "relax.Call": {
        const name = opNameOf(value);
        const wanted = name !== undefined && this.#policies.get(name) === "always" ? "half" : "full";
        for (const a of value.args) this.#require(a, wanted);
        return;
      }
      case "relax.Tuple": {
        const need = this.#needs.get(v) ?? "unused";
        return this.#require(value, v.kind === "relax.Var" ? "full" : need);
      }
      case "relax.TupleGetItem": {
        const info = structInfoOf(value.tuple);
        const count = info?.kind === "relax.TupleStructInfo" ? info.fields.length : value.index + 1;
        const own = v.kind === "relax.Var" ? "full" : (this.#needs.get(v) ?? "unused");
        return this.#require(value.tuple, Array.from({ length: count }, (_, i) => (i === value.index ? own : "unused")));
      }
      default:
        return this.#plain(value);
    }
  }

  #require(expr: Expr, need: Need): void {
    if (expr.kind === "relax.Tuple") expr.fields.forEach((f, i) => this.#require(f, fieldNeed(need, i)));
    else if (expr.kind === "relax.TupleGetItem") this.#require(expr.tuple, "full");
    else if (expr.kind === "relax.Var" || expr.kind === "relax.DataflowVar") this.#needs.set(expr, merged(this.#needs.get(expr) ?? "unused", need));
  }
}

/** What is wanted of field `i` of a tuple. */
export function fieldNeed(need: Need, i: number): Need {
  return typeof need === "string" ? need : (need[i] ?? "unused");
}

function merged(a: Need, b: Need): Need {
  if (typeof a === "string" && typeof b === "string") return a === "full" || b === "full" ? "full" : a === "half" || b === "half" ? "half" : "unused";
  const count = Math.max(typeof a === "string" ? 0 : a.length, typeof b === "string" ? 0 : b.length);
  return Array.from({ length: count }, (_, i) => merged(fieldNeed(a, i), fieldNeed(b, i)));
}
