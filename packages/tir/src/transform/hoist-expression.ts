import { definePass, mapFunctions, sequential, type Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars, usesVar } from "../ir/free-vars.ts";
import { makeIfThenElse, makeLetStmt } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { AttrStmt, For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { convertToSSA } from "./convert-ssa.ts";
import { withBody } from "./prim-func-pass.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { simplify } from "./simplify.ts";

/** Where a condition may be taken from; a set of bits (upstream's `HoistedConditionals`). */
export const hoistedConditionals = { never: 0, ifElseStmt: 1, ifElseExpr: 2, booleanExpression: 4, usingBlockVar: 8, all: 15 } as const;

/** Which bindings may be taken; a set of bits (upstream's `HoistedLetBindings`). */
export const hoistedLetBindings = { never: 0, requiredByConditional: 1, letStmt: 2, letExpr: 4, all: 7 } as const;

/** What is hoisted; all but conditions on thread variables unless told. */
export interface HoistExpressionOptions {
  /** Bits of `hoistedConditionals`. */
  readonly conditionals?: number;
  /** Bits of `hoistedLetBindings`. */
  readonly letBindings?: number;
}

/**
 * Takes conditions and bindings that a loop does not change out of it, to just inside the loop that they need; the loop
 * then stands in both branches, where `Simplify` decides the condition (upstream's `HoistExpression`). Nothing is taken
 * out of a sequence of statements.
 */
export function hoistExpression(options: HoistExpressionOptions = {}): Pass {
  const { ifElseStmt, ifElseExpr, booleanExpression } = hoistedConditionals;
  const conditionals = options.conditionals ?? ifElseStmt | ifElseExpr | booleanExpression;
  return hoisting("HoistExpression", () => ({ conditionals, letBindings: options.letBindings ?? hoistedLetBindings.all }));
}

/**
 * `hoistExpression` for the conditions of `if` statements alone (upstream's `HoistIfThenElse`). A function whose attribute
 * `tir.HoistIfThenElseExprWithBlock` is 1 has the conditions of its `if_then_else` calls hoisted instead.
 */
export function hoistIfThenElse(options: { readonly supportBlockScope?: boolean } = {}): Pass {
  const { ifElseStmt, ifElseExpr, usingBlockVar, never } = hoistedConditionals;
  const { never: letBindings } = hoistedLetBindings;
  const usual = { conditionals: ifElseStmt | (options.supportBlockScope === true ? usingBlockVar : never), letBindings };
  return hoisting("HoistIfThenElse", (func) =>
    isOne(func.attrs["tir.HoistIfThenElseExprWithBlock"]) ? { conditionals: ifElseExpr | usingBlockVar, letBindings } : usual,
  );
}

function isOne(value: unknown): boolean {
  return value === 1 || value === true || (typeof value === "object" && value !== null && "value" in value && value.value === 1);
}

function hoisting(name: string, choose: (func: PrimFunc) => Required<HoistExpressionOptions>): Pass {
  const insert = definePass(`Insert${name}`, (module) =>
    mapFunctions(module, (f) => {
      if (f.kind !== "tir.PrimFunc") return f;
      const func = f as PrimFunc;
      return withBody(func, convertToSSA(new Hoister(choose(func)).run(func.body)));
    }),
  );
  return sequential(name, [insert, simplify(), removeNoOp()]);
}

interface Condition {
  readonly condition: PrimExpr;
  readonly from: number;
  readonly usesThread: boolean;
  readonly requiredLets: ReadonlySet<AnyVar>;
  readonly withElse: boolean;
}

interface Binding {
  readonly bind: Var;
  readonly value: PrimExpr;
  readonly from: number;
}

/** A loop, or the declaration of a thread variable, and what is taken out of it. */
interface Loop {
  readonly loopVar: AnyVar;
  readonly isThread: boolean;
  readonly bindings: Binding[];
  readonly conditions: Condition[];
  /** A sequence was reached: what follows may not run, or run after something else. */
  sealed: boolean;
}

class Hoister {
  readonly #conditionals: number;
  readonly #letBindings: number;
  readonly #loops = new Map<Stmt, Loop>();
  readonly #active: Loop[] = [];
  /** What a let variable depends on, through others too. */
  readonly #loopsOf = new Map<AnyVar, ReadonlySet<AnyVar>>();
  readonly #letsOf = new Map<AnyVar, ReadonlySet<AnyVar>>();

  constructor(options: Required<HoistExpressionOptions>) {
    this.#conditionals = options.conditionals;
    this.#letBindings = options.letBindings;
  }

  run(body: Stmt): Stmt {
    visitStmt(body, this.#collector());
    return this.#rewrite(body);
  }

  #collector(): Visitor {
    const { ifElseStmt, ifElseExpr, booleanExpression } = hoistedConditionals;
    const inner: Visitor = {
      expr: (e) => {
        if (e.kind === "tir.And" || e.kind === "tir.Or") {
          this.#offer(e.a, booleanExpression, true);
          this.#offer(e.b, booleanExpression, true);
        } else if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" && e.args[0]) {
          this.#offer(e.args[0], ifElseExpr, true);
        } else if (e.kind === "tir.Let") {
          this.#bindLet(e.bind, e.value, hoistedLetBindings.letExpr);
          visitExpr(e.value, inner);
          visitExpr(e.body, inner);
          this.#forget(e.bind);
          return "skip";
        }
        return undefined;
      },
      stmt: (s) => {
        switch (s.kind) {
          case "tir.For":
            this.#enter(s, s.loopVar, false, () => {
              visitExpr(s.min, inner);
              visitExpr(s.extent, inner);
              visitStmt(s.body, inner);
            });
            return "skip";
          case "tir.AttrStmt": {
            const v = attrVar(s);
            if (v === undefined) return undefined;
            this.#enter(s, v, true, () => {
              visitExpr(s.value, inner);
              visitStmt(s.body, inner);
            });
            return "skip";
          }
          case "tir.LetStmt":
            this.#bindLet(s.bind, s.value, hoistedLetBindings.letStmt);
            visitExpr(s.value, inner);
            visitStmt(s.body, inner);
            this.#forget(s.bind);
            return "skip";
          case "tir.IfThenElse":
            this.#offer(s.condition, ifElseStmt, s.elseCase !== undefined);
            return undefined;
          case "tir.SeqStmt": {
            const innermost = this.#active.at(-1);
            if (innermost) innermost.sealed = true;
            return undefined;
          }
          default:
            return undefined;
        }
      },
    };
    return inner;
  }

  #enter(s: For | AttrStmt, loopVar: AnyVar, isThread: boolean, visit: () => void): void {
    const loop: Loop = { loopVar, isThread, bindings: [], conditions: [], sealed: false };
    this.#loops.set(s, loop);
    this.#active.push(loop);
    visit();
    this.#active.pop();
  }

  /** The loop above which an expression could stand, or undefined. */
  #destination(e: PrimExpr): Loop | undefined {
    for (let i = this.#active.length - 1; i >= 0; i--) {
      const loop = this.#active[i];
      if (loop === undefined) return undefined;
      const uses = usesVar(e, (v) => v === loop.loopVar || this.#loopsOf.get(v)?.has(loop.loopVar) === true);
      const barred = loop.isThread && (this.#conditionals & hoistedConditionals.usingBlockVar) === 0;
      if (loop.sealed || uses || barred) return this.#active[i + 1];
    }
    return this.#active[0];
  }

  #offer(condition: PrimExpr, from: number, withElse: boolean): void {
    if (sideEffect(condition) !== "pure") return;
    const loop = this.#destination(condition);
    if (loop === undefined || loop.sealed) return;
    const threads = new Set(this.#active.filter((l) => l.isThread).map((l) => l.loopVar));
    const requiredLets = this.#letsUsed(condition);
    loop.conditions.push({ condition, from, withElse, requiredLets, usesThread: usesVar(condition, (v) => threads.has(v)) });
  }

  #letsUsed(e: PrimExpr): ReadonlySet<AnyVar> {
    const out = new Set<AnyVar>();
    for (const v of undefinedVars(e)) {
      const lets = this.#letsOf.get(v);
      if (lets === undefined) continue;
      out.add(v);
      for (const used of lets) out.add(used);
    }
    return out;
  }

  #bindLet(bind: Var, value: PrimExpr, from: number): void {
    const loop = this.#destination(value);
    if (loop !== undefined && !loop.sealed) loop.bindings.push({ bind, value, from });
    const active = new Set(this.#active.map((l) => l.loopVar));
    const loops = new Set<AnyVar>();
    for (const v of undefinedVars(value)) {
      if (active.has(v)) loops.add(v);
      else for (const used of this.#loopsOf.get(v) ?? []) loops.add(used);
    }
    const lets = this.#letsUsed(value);
    this.#loopsOf.set(bind, loops);
    this.#letsOf.set(bind, lets);
  }

  #forget(v: Var): void {
    this.#loopsOf.delete(v);
    this.#letsOf.delete(v);
  }

  #isEnabled(c: Condition): boolean {
    const { requiredByConditional, letStmt } = hoistedLetBindings;
    const letsMove = c.requiredLets.size === 0 || (this.#letBindings & (requiredByConditional | letStmt)) !== 0;
    const threadsMove = !c.usesThread || (this.#conditionals & hoistedConditionals.usingBlockVar) !== 0;
    return (this.#conditionals & c.from) !== 0 && letsMove && threadsMove;
  }

  #rewrite(body: Stmt): Stmt {
    const moved = new Set<AnyVar>();
    for (const loop of this.#loops.values()) {
      for (const b of loop.bindings) if ((this.#letBindings & b.from) !== 0) moved.add(b.bind);
      if ((this.#letBindings & hoistedLetBindings.requiredByConditional) === 0) continue;
      for (const c of loop.conditions) if (this.#isEnabled(c)) for (const v of c.requiredLets) moved.add(v);
    }
    const mapper: ChildMapper = {
      expr: (e) => (e.kind === "tir.Let" && moved.has(e.bind) ? mapper.expr(e.body) : mapExprChildren(e, mapper)),
      stmt: (s) => {
        if (s.kind === "tir.LetStmt" && moved.has(s.bind)) return mapper.stmt(s.body);
        const mapped = mapStmtChildren(s, mapper);
        const loop = this.#loops.get(s);
        return loop === undefined ? mapped : this.#wrap(mapped, loop, moved);
      },
    };
    return mapper.stmt(body);
  }

  #wrap(s: Stmt, loop: Loop, moved: ReadonlySet<AnyVar>): Stmt {
    let out = s;
    for (const c of loop.conditions.toReversed()) {
      if (this.#isEnabled(c)) out = makeIfThenElse(c.condition, out, c.withElse ? out : undefined);
    }
    for (const b of loop.bindings.toReversed()) if (moved.has(b.bind)) out = makeLetStmt(b.bind, b.value, out);
    return out;
  }
}

function attrVar(s: AttrStmt): AnyVar | undefined {
  if (s.node?.kind === "tir.IterVar") return (s.node as IterVar).var;
  return s.node?.kind === "tir.Var" || s.node?.kind === "tir.SizeVar" ? (s.node as AnyVar) : undefined;
}
