import type { Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeIfThenElse } from "../ir/make-stmt.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { constant } from "../ir/ops.ts";
import type { For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { renewDefs } from "../ir/substitute.ts";
import { BranchConditions } from "./branch-conditions.ts";
import { foldWith } from "./fold.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { isNoOp, noOp } from "./simplify.ts";

/** How much a function may grow. */
export interface UnswitchOptions {
  /** Statements and expressions that copies of loop bodies may add to one function. */
  readonly maxGrowth?: number;
}

/**
 * Takes conditions that a loop does not change out of it, those of `if_then_else` and parts of conjunctions included,
 * while the code stays within a size. The loop then stands in both branches, each without the test; loops are done from
 * the inside out. (`HoistIfThenElse` is upstream's form of it: without a limit, from statements alone.)
 */
export function unswitchLoops(options: UnswitchOptions = {}): Pass {
  return primFuncPass("UnswitchLoops", (func) => hoistFunc(func, options.maxGrowth ?? 3000));
}

function hoistFunc(func: PrimFunc, maxGrowth: number): PrimFunc {
  let growth = 0;
  const conditions = new BranchConditions();
  /** What took the place of a loop, and the condition that its branches are free of. */
  const decided = new WeakMap<Stmt, PrimExpr>();
  const decide = (body: Stmt, condition: PrimExpr, value: boolean): Stmt => {
    const known = decided.get(body);
    if (body.kind === "tir.IfThenElse" && known !== undefined && exprDeepEqual(known, condition)) return value ? body.thenCase : (body.elseCase ?? noOp());
    return foldWith(body, (e) =>
      e.dtype === "bool" && e.kind === condition.kind && exprDeepEqual(e, condition) ? constant(value, "bool") : undefined,
    );
  };
  const visit = (s: Stmt): Stmt => {
    if (conditions.of(s).length === 0) return s;
    const mapped = mapSubStmts(s, visit);
    return mapped.kind === "tir.For" && mapped.forKind !== "thread_binding" ? hoist(mapped) : mapped;
  };
  const hoist = (loop: For): Stmt => {
    const condition = invariantCondition(loop, conditions);
    if (condition === undefined) return loop;
    // A loop that is nothing but one conditional statement is moved, not copied.
    const body = loop.body;
    if (body.kind === "tir.IfThenElse" && body.elseCase === undefined && exprDeepEqual(body.condition, condition)) {
      return makeIfThenElse(condition, hoist({ ...loop, body: body.thenCase }));
    }
    const size = conditions.sizeOf(loop.body);
    if (growth + size > maxGrowth) return loop;
    growth += size;
    const assume = (value: boolean): Stmt => {
      const body = decide(loop.body, condition, value);
      return isNoOp(body) ? noOp() : hoist({ ...loop, body });
    };
    const yes = assume(true);
    const no = assume(false);
    const both = makeIfThenElse(condition, yes, isNoOp(no) ? undefined : renewDefs(no));
    decided.set(both, condition);
    return both;
  };
  return withBody(func, visit(func.body));
}

/** A condition in the loop that neither the loop nor anything in it changes; parts of a conjunction count. */
function invariantCondition(loop: For, all: BranchConditions): PrimExpr | undefined {
  const guards = all.of(loop.body);
  if (guards.length === 0) return undefined;
  const inside = new Set<AnyVar>([loop.loopVar, ...all.boundIn(loop.body)]);
  const isInside = (v: AnyVar): boolean => inside.has(v);
  const fixed = (c: PrimExpr): boolean => c.kind !== "ir.IntImm" && c.dtype === "bool" && !usesVar(c, isInside) && sideEffect(c) === "pure";
  for (const { condition, vars } of guards) {
    if (vars.size > 0 && [...vars].every(isInside)) continue;
    if (fixed(condition)) return condition;
    const part = conjunctsOf(condition).find(fixed);
    if (part !== undefined) return part;
  }
  return undefined;
}

function conjunctsOf(c: PrimExpr): readonly PrimExpr[] {
  return c.kind === "tir.And" ? [...conjunctsOf(c.a), ...conjunctsOf(c.b)] : [c];
}
