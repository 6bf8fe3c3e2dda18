import type { Pass } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { makeLet, makeVar } from "../ir/make-expr.ts";
import { makeLetStmt } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { isStmt, visitExpr, visitStmt } from "../ir/visit.ts";
import { Computations, isComputation, partsOf, type Computation } from "./computations.ts";
import { textOf } from "./expr-text.ts";
import { ExprIds } from "./expr-ids.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/**
 * Binds what is computed more than once to a variable, as far out as its operands are known, and uses variables that hold
 * a value already (upstream's `CommonSubexprElimTIR`). Reads of memory and calls are left where they are.
 */
export function commonSubexprElim(options: CommonSubexprOptions = {}): Pass {
  return primFuncPass("CommonSubexprElimTIR", (func) => (options.enable === false ? func : withBody(func, new Eliminator(func, options.equivalent === true).stmt(func.body))));
}

/** Upstream's `enable_cse_tir` and `identify_equiv_terms`. */
export interface CommonSubexprOptions {
  readonly enable?: boolean;
  /** Terms that the simplifier makes the same count as the same. */
  readonly equivalent?: boolean;
}

/** A computation that is looked at: the larger ones come first. */
interface Candidate extends Computation {
  readonly size: number;
  readonly text: string;
}

class Eliminator implements ChildMapper {
  readonly #ids: ExprIds;
  readonly #computations: Computations;
  readonly #names: ReadonlySet<string>;
  #last = 0;
  /** The variables that are known here, and those that hold a value, by its number, outermost first. */
  readonly #known = new Set<AnyVar>();
  readonly #holders = new Map<number, readonly AnyVar[]>();

  constructor(func: PrimFunc, equivalent: boolean) {
    this.#ids = equivalent ? new ExprIds((e) => new Analyzer().simplify(e)) : new ExprIds();
    this.#computations = new Computations(this.#ids);
    this.#names = namesIn(func.body);
    for (const v of func.params) this.#known.add(v);
    for (const b of func.bufferMap.values()) for (const e of b.shape) if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") this.#known.add(e);
  }

  readonly stmt = (s: Stmt): Stmt => {
    const bound = this.#bindComputations(s, (v, value, body) => makeLetStmt(v, value, body));
    // New variables are operands of what is left.
    return bound === s ? this.#within(s) : this.stmt(bound);
  };

  readonly expr = (e: PrimExpr): PrimExpr => {
    const bound = this.#bindComputations(e, (v, value, body) => makeLet(v, value, body));
    if (bound.kind !== "tir.Let") return mapExprChildren(bound, this);
    const value = this.expr(bound.value);
    const body = this.#knowing(bound.bind, bound.value, () => this.expr(bound.body));
    return value === bound.value && body === bound.body ? bound : { ...bound, value, body };
  };

  #within(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.LetStmt": {
        const value = this.expr(s.value);
        const body = this.#knowing(s.bind, s.value, () => this.stmt(s.body));
        return value === s.value && body === s.body ? s : { ...s, value, body };
      }
      case "tir.For": {
        const min = this.expr(s.min);
        const extent = this.expr(s.extent);
        const body = this.#knowing(s.loopVar, undefined, () => this.stmt(s.body));
        return min === s.min && extent === s.extent && body === s.body ? s : { ...s, min, extent, body };
      }
      case "tir.AttrStmt":
        return s.node?.kind === "tir.IterVar" ? this.#knowing((s.node as IterVar).var, undefined, () => mapStmtChildren(s, this)) : mapStmtChildren(s, this);
      default:
        return mapStmtChildren(s, this);
    }
  }

  #knowing<T>(v: AnyVar, value: PrimExpr | undefined, f: () => T): T {
    const had = this.#known.has(v);
    const id = value && this.#ids.of(value);
    const before = id === undefined ? undefined : this.#holders.get(id);
    this.#known.add(v);
    if (id !== undefined) this.#holders.set(id, [...(before ?? []), v]);
    const result = f();
    if (!had) this.#known.delete(v);
    if (id !== undefined && before === undefined) this.#holders.delete(id);
    else if (id !== undefined && before !== undefined) this.#holders.set(id, before);
    return result;
  }

  /** The node with each value that it computes twice in a variable around it, where that can be done here. */
  #bindComputations<N extends PrimExpr | Stmt>(node: N, bind: (v: Var, value: PrimExpr, body: N) => N): N {
    const queue = [...this.#computations.of(node).values()].map(candidate).toSorted(byImportance);
    let result = node;
    for (let i = 0; i < queue.length; i++) {
      const c = queue[i];
      if (c === undefined) break;
      const holder = this.#holders.get(c.id)?.[0];
      if (holder !== undefined) {
        result = this.#replace(result, c, holder);
      } else if (c.count >= 2 && undefinedVars(c.expr, this.#known).length === 0) {
        const v = makeVar(this.#freshName(), c.expr.dtype);
        result = bind(v, c.expr, this.#replace(result, c, v));
      } else {
        for (const part of partsOf(c.expr)) this.#enqueue(queue, part);
      }
    }
    return result;
  }

  #enqueue(queue: Candidate[], e: PrimExpr): void {
    const id = this.#ids.of(e);
    const at = queue.findIndex((c) => c.id === id);
    const known = queue[at];
    if (known !== undefined) {
      queue[at] = { ...known, count: known.count + 1 };
      return;
    }
    const fresh = candidate({ id, expr: e, count: 1 });
    const place = queue.findIndex((c) => c.size < fresh.size);
    queue.splice(place < 0 ? queue.length : place, 0, fresh);
  }

  #replace<N extends PrimExpr | Stmt>(node: N, { id, expr: { dtype } }: Candidate, v: AnyVar): N {
    const mapper: ChildMapper = {
      expr: (e) => (e.dtype === dtype && isComputation(e) && this.#ids.of(e) === id ? v : mapExprChildren(e, mapper)),
      stmt: (s) => mapStmtChildren(s, mapper),
    };
    return (isStmt(node) ? mapper.stmt(node) : mapper.expr(node)) as N;
  }

  #freshName(): string {
    do this.#last++;
    while (this.#names.has(`cse_var_${this.#last}`));
    return `cse_var_${this.#last}`;
  }
}

function namesIn(body: Stmt): ReadonlySet<string> {
  const names = new Set<string>();
  visitStmt(body, { expr: (e) => void ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && names.add(e.name)) });
  return names;
}

function candidate(c: Computation): Candidate {
  let size = 0;
  visitExpr(c.expr, () => void size++);
  return { ...c, size, text: textOf(c.expr) };
}

function byImportance(a: Candidate, b: Candidate): number {
  return b.size - a.size || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
}
