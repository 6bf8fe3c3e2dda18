import { at, Diagnostics, throwIfErrors, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapBuffer, mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { cast } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Replaces the iteration variables of blocks by their values; the blocks stay, without variables (upstream's `ConvertBlocksToOpaque`). @throws DiagnosticError if a predicate uses them. */
export function convertBlocksToOpaque(): Pass {
  return bodyPass("ConvertBlocksToOpaque", toOpaque);
}

function toOpaque(body: Stmt): Stmt {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  const values = new Map<AnyVar, PrimExpr>();
  const buffers = new Map<Buffer, Buffer>();
  const mapper: ChildMapper & { buffer(b: Buffer): Buffer } = {
    expr: (e) => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (values.get(e) ?? e) : mapExprChildren(e, mapper)),
    buffer(b) {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
    stmt(s) {
      if (s.kind !== "tir.BlockRealize" || s.block.iterVars.length === 0) return mapStmtChildren(s, mapper);
      const iterValues = mapItems(s.iterValues, mapper.expr);
      s.block.iterVars.forEach((iv, i) => values.set(iv.var, cast(iv.var.dtype, at(iterValues, i))));
      const own = new Set(s.block.iterVars.map((iv) => iv.var));
      const used = undefinedVars(s.predicate).find((v) => v.kind === "tir.Var" && own.has(v));
      if (used !== undefined) report("predicate-uses-block-var", { name: used.name }, s.predicate.span ?? s.span);
      const predicate = mapper.expr(s.predicate);
      const block = mapStmtChildren({ ...s.block, iterVars: [] }, mapper);
      return block.kind === "tir.Block" ? { ...s, iterValues: [], predicate, block } : s;
    },
  };
  const result = mapper.stmt(body);
  throwIfErrors(diagnostics);
  return result;
}
