import type { Pass } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { IterVar, PrimExpr } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeEvaluate } from "../ir/make-stmt.ts";
import { mapItems, mapRegion, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, isConst, isConstInt, not } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/**
 * Simplifies every expression with what the loops and conditions around it say, decides conditions that are constant
 * then, and drops stores of what is stored already (upstream's `Simplify`).
 */
export function simplify(): Pass {
  return primFuncPass("Simplify", simplifyFunc);
}

/** `simplify` for one function. */
export function simplifyFunc(func: PrimFunc): PrimFunc {
  const analyzer = new Analyzer();
  return withBody(func, simplifyStmt(func.body, analyzer));
}

/** A statement that does nothing. */
export function noOp(): Stmt {
  return makeEvaluate(constant(0, "int32"));
}

/** True for a statement that does nothing. */
export function isNoOp(s: Stmt): boolean {
  return s.kind === "tir.Evaluate" && isConst(s.value);
}

/** Simplifies a statement with what `analyzer` knows. */
export function simplifyStmt(root: Stmt, analyzer: Analyzer): Stmt {
  const mapper: ChildMapper = {
    expr: (e) => simplifyExpr(e, analyzer),
    stmt(s) {
      switch (s.kind) {
        case "tir.For": {
          const min = mapper.expr(s.min);
          const extent = mapper.expr(s.extent);
          analyzer.bind(s.loopVar, makeRange(min, extent), { override: true });
          const body = mapper.stmt(s.body);
          return min === s.min && extent === s.extent && body === s.body ? s : { ...s, min, extent, body };
        }
        case "tir.IfThenElse": {
          const condition = mapper.expr(s.condition);
          if (isConstInt(condition)) {
            if (condition.value !== 0) return mapper.stmt(s.thenCase);
            return s.elseCase === undefined ? noOp() : mapper.stmt(s.elseCase);
          }
          const thenCase = analyzer.withConstraint(condition, () => mapper.stmt(s.thenCase));
          const { elseCase } = s;
          const otherwise = elseCase && analyzer.withConstraint(not(condition), () => mapper.stmt(elseCase));
          const same = condition === s.condition && thenCase === s.thenCase && otherwise === elseCase;
          return same ? s : { ...s, condition, thenCase, elseCase: otherwise };
        }
        case "tir.LetStmt": {
          const value = mapper.expr(s.value);
          if (isConst(value) || (value.kind === "tir.Var" && value.dtype !== "handle")) {
            return mapper.stmt(substitute(s.body, new Map([[s.bind, value]])));
          }
          if (/^u?int|^bool/.test(value.dtype) && !/x\d+$/.test(value.dtype)) analyzer.bind(s.bind, value, { override: true });
          const body = mapper.stmt(s.body);
          return value === s.value && body === s.body ? s : { ...s, value, body };
        }
        case "tir.AssertStmt": {
          const condition = mapper.expr(s.condition);
          if (isConstInt(condition, 1)) return mapper.stmt(s.body);
          const body = analyzer.withConstraint(condition, () => mapper.stmt(s.body));
          return condition === s.condition && body === s.body ? s : { ...s, condition, body };
        }
        case "tir.AttrStmt": {
          if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
            const v = (s.node as IterVar).var;
            analyzer.bind(v, makeRange(constant(0, v.dtype), s.value), { override: true });
          }
          return mapStmtChildren(s, mapper);
        }
        case "tir.Block": {
          for (const iv of s.iterVars) if (iv.dom) analyzer.bind(iv.var, iv.dom, { override: true });
          const reads = mapItems(s.reads, (r) => mapRegion(r, mapper));
          const writes = mapItems(s.writes, (r) => mapRegion(r, mapper));
          const init = s.init && mapper.stmt(s.init);
          const body = mapper.stmt(s.body);
          const same = reads === s.reads && writes === s.writes && init === s.init && body === s.body;
          return same ? s : { ...s, reads, writes, init, body };
        }
        case "tir.BlockRealize": {
          const predicate = mapper.expr(s.predicate);
          const iterValues = mapItems(s.iterValues, mapper.expr);
          const block = analyzer.withConstraint(predicate, () => mapper.stmt(s.block));
          if (block.kind !== "tir.Block") return s;
          const same = predicate === s.predicate && iterValues === s.iterValues && block === s.block;
          return same ? s : { ...s, predicate, iterValues, block };
        }
        case "tir.BufferStore": {
          const mapped = mapStmtChildren(s, mapper);
          return mapped.kind === "tir.BufferStore" && storesItself(mapped) ? noOp() : mapped;
        }
        default:
          return mapStmtChildren(s, mapper);
      }
    },
  };
  return mapper.stmt(root);
}

function storesItself(s: Extract<Stmt, { kind: "tir.BufferStore" }>): boolean {
  const { value } = s;
  return (
    value.kind === "tir.BufferLoad" &&
    value.buffer === s.buffer &&
    value.predicate === s.predicate &&
    value.indices.length === s.indices.length &&
    value.indices.every((e, i) => exprDeepEqual(e, s.indices[i] ?? e))
  );
}

function simplifyExpr(e: PrimExpr, analyzer: Analyzer): PrimExpr {
  if (e.dtype === "handle" || isConst(e)) return e;
  const simple = analyzer.simplify(e);
  return simple !== e && exprDeepEqual(simple, e) ? e : simple;
}
