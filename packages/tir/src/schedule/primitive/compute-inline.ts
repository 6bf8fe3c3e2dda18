import { Analyzer } from "../../arith/analyzer.ts";
import { detectIterMap } from "../../arith/detect-iter-map.ts";
import { inverseAffineIterMap } from "../../arith/inverse-affine-iter-map.ts";
import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../../ir/expr.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { mapExpr, mapStmt } from "../../ir/mutate.ts";
import { asInt, isConstInt } from "../../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { visitStmt } from "../../ir/visit.ts";
import { getBlockReadWriteRegion } from "../../analysis/block-access-region.ts";
import { requireClosed, requireComplete, requireNotOutput, scopeRoot } from "../block-relations.ts";
import { FuncTree, replaceStmts } from "../func-tree.ts";
import { withoutLeaf } from "../leaf-removal.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** The block's expression put in place of every read of its output; the block and its buffer go. */
export function computeInline(tree: FuncTree, realize: BlockRealize): Outcome {
  const { block } = realize;
  requireNoInit(block);
  const [write] = block.writes;
  if (write === undefined || block.writes.length !== 1) return refuse(`block \`${block.name}\` writes ${block.writes.length} regions`, block, "Inlining needs exactly one.");
  const { buffer } = write;
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  requireNotOutput(tree, realize);
  requireComplete(realize, scope);
  requireClosed(tree, realize);
  const expand = expansionOf(block);
  const without = withoutLeaf(tree, realize);
  requireNoOpaque(scope.block, buffer);
  const rest = new FuncTree(without);
  const newScope = [...rest.blocks.values()].find((b) => b.block.name === scope.block.name && b.block.iterVars === scope.block.iterVars);
  if (newScope === undefined) throw new Error("internal: the scope went with the block");
  const inlined = rewriteScope(newScope.block, buffer, (e) => (e.kind === "tir.BufferLoad" && e.buffer === buffer ? expand(e.indices) : e), (s) => s);
  return { func: replaceStmts(without, new Map<Stmt, Stmt>([[newScope.block, inlined]])) };
}

export function requireNoInit(block: Block): void {
  if (block.init !== undefined) refuse(`block \`${block.name}\` has an init`, block, "Decompose the reduction first.");
}

/** From the indices of a read of the output to the value computed there. */
function expansionOf(block: Block): (indices: readonly PrimExpr[]) => PrimExpr {
  if (block.body.kind !== "tir.BufferStore") return refuse(`the body of block \`${block.name}\` is not a single store`, block);
  const store = block.body;
  const analyzer = new Analyzer();
  const { iterVars } = block;
  const trivial =
    iterVars.length === store.indices.length &&
    iterVars.every((iv, i) => {
      const e = store.indices[i];
      const unit = iv.dom !== undefined && isConstInt(iv.dom.min, 0) && isConstInt(iv.dom.extent, 1);
      return e === iv.var || (unit && e !== undefined && isConstInt(analyzer.simplify(e), 0));
    });
  const vars: readonly Var[] = trivial ? iterVars.map((iv) => iv.var) : store.indices.map((e, i) => makeVar(`ph_${i}`, e.dtype));
  const value = trivial ? store.value : substitute(store.value, invertIndices(block, store, vars, analyzer));
  return (indices) => substitute(value, new Map<AnyVar, PrimExpr>(vars.map((v, i) => [v, indices[i] ?? v])));
}

function invertIndices(block: Block, store: BufferStore, vars: readonly Var[], analyzer: Analyzer): ReadonlyMap<AnyVar, PrimExpr> {
  const doms = new Map<AnyVar, Range>();
  for (const iv of block.iterVars) if (iv.dom !== undefined) doms.set(iv.var, iv.dom);
  const found = detectIterMap(store.indices, doms, { level: "bijective", analyzer, simplifyTrivial: false });
  if (found.errors.length > 0) {
    return refuse(`the indices that block \`${block.name}\` writes at are not a one-to-one affine map of its variables`, block, found.errors[0]);
  }
  const values = new Map(inverseAffineIterMap(found.indices, vars));
  for (const iv of block.iterVars) {
    if (iv.dom !== undefined && asInt(iv.dom.min) !== undefined && isConstInt(analyzer.simplify(iv.dom.extent), 1)) values.set(iv.var, iv.dom.min);
  }
  return values;
}

/** Refuses if a buffer is accessed through its pointer, or matched, inside a block. */
export function requireNoOpaque(scope: Block, buffer: Buffer): void {
  visitStmt(scope.body, {
    expr(e) {
      if (e === buffer.data) refuse(`\`${buffer.name}\` is accessed through its pointer`, scope);
      return undefined;
    },
    stmt(s) {
      if (s.kind === "tir.Block" && s.matchBuffers.some((m) => m.source.buffer === buffer)) refuse(`a part of \`${buffer.name}\` is matched by another buffer`, s);
      return undefined;
    },
  });
}

/**
 * A scope block with expressions and stores rewritten so that a buffer is no longer used; it is not allocated any more,
 * and the blocks that declared it say what they touch now.
 */
export function rewriteScope(scope: Block, gone: Buffer, expr: (e: PrimExpr) => PrimExpr, stmt: (s: Stmt) => Stmt): Block {
  const body = mapStmt(scope.body, {
    expr,
    stmt(s) {
      const t = stmt(s);
      if (t.kind !== "tir.Block") return t;
      return [...t.reads, ...t.writes].some((r) => r.buffer === gone) ? refreshRegions(t) : t;
    },
  });
  return { ...scope, body, allocBuffers: scope.allocBuffers.filter((b) => b !== gone) };
}

/** The block with its reads and writes found anew. */
export function refreshRegions(block: Block): Block {
  const pointers = new Map<Var, Buffer>([...block.reads, ...block.writes].map((r) => [r.buffer.data, r.buffer]));
  return { ...block, ...getBlockReadWriteRegion(block, pointers) };
}

/** The loads from a buffer in an expression. */
export function loadsFrom(e: PrimExpr, buffer: Buffer): readonly (readonly PrimExpr[])[] {
  const out: (readonly PrimExpr[])[] = [];
  mapExpr(e, (x) => {
    if (x.kind === "tir.BufferLoad" && x.buffer === buffer) out.push(x.indices);
    return x;
  });
  return out;
}
