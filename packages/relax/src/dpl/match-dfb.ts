import { Analyzer } from "@verticil/tir";
import { forEachUse } from "../analysis/variables.ts";
import type { AnyVar, Binding, DataflowBlock, Expr } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import { extractMatchedExpr, type Bindings } from "./match-expr.ts";
import type { DFPattern } from "./pattern.ts";
import type { PatternContext, PatternEdge, SameShape } from "./pattern-context.ts";

/** The variable that each pattern of a graph stands for. */
export type GraphMatch = ReadonlyMap<DFPattern, AnyVar>;

/** Finds a graph of patterns in a dataflow block, one variable to a pattern (upstream's `match_dfb`); undefined if it is not there. */
export function matchDfb(ctx: PatternContext, block: DataflowBlock): GraphMatch | undefined {
  return matchBindings(ctx, block.bindings);
}

/** Finds a graph of patterns among bindings. */
export function matchBindings(ctx: PatternContext, bindings: readonly Binding[]): GraphMatch | undefined {
  if (ctx.patterns.length === 0) return undefined;
  return new GraphMatcher(ctx, bindings).run();
}

class GraphMatcher {
  readonly #ctx: PatternContext;
  readonly #values: Bindings;
  readonly #analyzer = new Analyzer();
  /** Who uses a variable, once each. */
  readonly #users = new Map<AnyVar, Set<AnyVar>>();
  /** What a binding uses, as written. */
  readonly #operands = new Map<AnyVar, readonly AnyVar[]>();
  readonly #candidates: readonly AnyVar[];
  readonly #order: readonly DFPattern[];
  readonly #found = new Map<DFPattern, AnyVar>();
  readonly #taken = new Set<AnyVar>();
  readonly #tried = new Map<DFPattern, Map<AnyVar, boolean>>();

  constructor(ctx: PatternContext, bindings: readonly Binding[]) {
    this.#ctx = ctx;
    const values = new Map<AnyVar, Expr>();
    for (const b of bindings) {
      values.set(b.var, b.value);
      const operands: AnyVar[] = [];
      forEachUse(b.value, (v) => operands.push(v));
      this.#operands.set(b.var, operands);
      for (const v of operands) {
        const users = this.#users.get(v) ?? new Set();
        users.add(b.var);
        this.#users.set(v, users);
      }
    }
    this.#values = values;
    this.#candidates = [...new Set([...this.#users.keys(), ...values.keys()])];
    this.#order = searchOrder(ctx);
  }

  run(): GraphMatch | undefined {
    return this.#place(0) ? new Map(this.#found) : undefined;
  }

  #place(i: number): boolean {
    const pattern = this.#order[i];
    if (pattern === undefined) return true;
    for (const v of this.#candidatesOf(pattern)) {
      if (this.#taken.has(v) || !this.#fits(pattern, v)) continue;
      this.#found.set(pattern, v);
      this.#taken.add(v);
      if (this.#ctx.constraints.every((c) => this.#holds(c)) && this.#place(i + 1)) return true;
      this.#found.delete(pattern);
      this.#taken.delete(v);
    }
    return false;
  }

  /** Those that use what was found already, else all. */
  #candidatesOf(pattern: DFPattern): Iterable<AnyVar> {
    for (const e of this.#ctx.edges) {
      const producer = e.consumer === pattern ? this.#found.get(e.producer) : undefined;
      if (producer !== undefined) return this.#users.get(producer) ?? [];
    }
    return this.#candidates;
  }

  #fits(pattern: DFPattern, v: AnyVar): boolean {
    return this.#ctx.edges.every((e) => this.#edgeHolds(e, pattern, v)) && this.#matches(pattern, v);
  }

  #edgeHolds(e: PatternEdge, pattern: DFPattern, v: AnyVar): boolean {
    const producer = e.producer === pattern ? v : this.#found.get(e.producer);
    const consumer = e.consumer === pattern ? v : this.#found.get(e.consumer);
    if (producer === undefined || (e.producer !== pattern && e.consumer !== pattern)) return true;
    const users = this.#users.get(producer);
    if (users === undefined || (e.only && users.size !== 1)) return false;
    if (consumer === undefined) return true;
    return users.has(consumer) && (e.index === undefined || this.#operands.get(consumer)?.[e.index] === producer);
  }

  #matches(pattern: DFPattern, v: AnyVar): boolean {
    const known = this.#tried.get(pattern) ?? new Map<AnyVar, boolean>();
    this.#tried.set(pattern, known);
    const before = known.get(v);
    if (before !== undefined) return before;
    const matched = extractMatchedExpr(pattern, v, this.#values) !== undefined;
    known.set(v, matched);
    return matched;
  }

  /** True unless the shapes that are known so far may differ. */
  #holds(constraint: SameShape): boolean {
    const vars = constraint.args.flatMap((p) => this.#found.get(p) ?? []);
    const [first, ...others] = vars.map((v) => shapeOf(v.structInfo));
    if (vars.length === 0) return true;
    if (first === undefined) return false;
    return others.every((s) => s !== undefined && s.length === first.length && s.every((d, i) => this.#analyzer.canProveEqual(d, first[i] ?? d)));
  }
}

/** Patterns that nothing leads to first, each followed by what uses it. */
function searchOrder(ctx: PatternContext): readonly DFPattern[] {
  const order = new Set<DFPattern>();
  const visit = (p: DFPattern): void => {
    if (order.has(p)) return;
    order.add(p);
    for (const e of ctx.edges) if (e.producer === p) visit(e.consumer);
  };
  const led = new Set(ctx.edges.map((e) => e.consumer));
  for (const p of ctx.patterns) if (!led.has(p)) visit(p);
  for (const p of ctx.patterns) visit(p);
  return [...order];
}
