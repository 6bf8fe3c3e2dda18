import { at, Diagnostics, throwIfErrors, type IRModule, type Span } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { IterVar, PrimExpr } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { asInt, constant, not } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { analysisDiagnostics } from "./diagnostics.ts";

/**
 * Reports accesses that can be shown to leave their buffer for some iteration (upstream's `OOBChecker`): where the
 * bounds of an index reach beyond the dimension. What cannot be bounded is not reported.
 */
export function checkOutOfBounds(func: PrimFunc, diagnostics: Diagnostics): void {
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const analyzer = new Analyzer();
  const check = (b: Buffer, indices: readonly PrimExpr[], span: Span | undefined): void => {
    indices.forEach((index, dimension) => {
      if (lanesOf(index.dtype) !== 1 || dimension >= b.shape.length) return;
      const { min, max } = analyzer.constIntBound(analyzer.simplify(index));
      const extent = at(b.shape, dimension);
      const least = analyzer.constIntBound(extent).min;
      // The limits of the index type say nothing.
      const above = max < 2 ** 31 - 1 && asInt(extent) !== undefined && max >= least;
      const below = min > -(2 ** 31) && min < 0;
      if (above || below) report("access-out-of-bounds", { buffer: b.name, dimension, min, max, extent: String(asInt(extent) ?? "?") }, span);
    });
  };
  const visitor: Visitor = {
    expr(e) {
      if (e.kind === "tir.BufferLoad") check(e.buffer, e.indices, e.span);
      const [c, t, f] = e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" ? e.args : [];
      if (!c || !t || !f) return undefined;
      visitExpr(c, visitor);
      analyzer.withConstraint(c, () => visitExpr(t, visitor));
      analyzer.withConstraint(not(c), () => visitExpr(f, visitor));
      return "skip";
    },
    stmt(s) {
      switch (s.kind) {
        case "tir.BufferStore":
          check(s.buffer, s.indices, s.span);
          return undefined;
        case "tir.For":
          visitExpr(s.min, visitor);
          visitExpr(s.extent, visitor);
          analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
          return undefined;
        case "tir.LetStmt":
          if (s.bind.dtype.startsWith("int")) analyzer.bind(s.bind, s.value, { override: true });
          return undefined;
        case "tir.AttrStmt":
          if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
            const v = (s.node as IterVar).var;
            analyzer.bind(v, makeRange(constant(0, v.dtype), s.value), { override: true });
          }
          return undefined;
        case "tir.IfThenElse": {
          visitExpr(s.condition, visitor);
          analyzer.withConstraint(s.condition, () => visitStmt(s.thenCase, visitor));
          const { elseCase } = s;
          if (elseCase) analyzer.withConstraint(not(s.condition), () => visitStmt(elseCase, visitor));
          return "skip";
        }
        case "tir.BlockRealize":
          s.block.iterVars.forEach((iv, i) => {
            if (iv.dom) analyzer.bind(iv.var, iv.dom, { override: true });
            else analyzer.bind(iv.var, at(s.iterValues, i), { override: true });
          });
          analyzer.withConstraint(s.predicate, () => {
            if (s.block.init) visitStmt(s.block.init, visitor);
            visitStmt(s.block.body, visitor);
          });
          return "skip";
        default:
          return undefined;
      }
    },
  };
  visitStmt(func.body, visitor);
}

/** @throws DiagnosticError for any tensor program of the module that leaves its buffers. */
export function assertInBounds(module: IRModule): void {
  const diagnostics = new Diagnostics();
  for (const func of module.functions.values()) if (func.kind === "tir.PrimFunc") checkOutOfBounds(func as PrimFunc, diagnostics);
  throwIfErrors(diagnostics);
}
