import { Analyzer, conjuncts } from "../arith/analyzer.ts";
import { estimateRegionStrictBound } from "../arith/estimate-region.ts";
import { simplifyLinear } from "../arith/linear-sum.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { add, asInt, constant, isConst, isConstInt, sub } from "../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { analyzerFor, bindingsOf, loopDomain, relaxedLoops } from "./block-relations.ts";
import { childBlocks, stmtChildren, type FuncTree } from "./func-tree.ts";
import { refuse } from "./schedule-error.ts";

/** Refuses a block without init that reads what it or one before it has written of a buffer: a copy would not hold that. */
export function requireNotUpdated(block: Block, buffer: Buffer): void {
  const [inner] = childBlocks(block.body).filter(({ block: b }) => [...b.reads, ...b.writes].some((r) => r.buffer === buffer));
  if (inner !== undefined) return requireNotUpdated(inner.block, buffer);
  if (block.init !== undefined || !block.reads.some((r) => r.buffer === buffer) || !block.writes.some((w) => w.buffer === buffer)) return;
  refuse(`block \`${block.name}\` reads what it writes of \`${buffer.name}\``, block, "A copy would not hold what it reads. Do this before the reduction is decomposed or blockized.");
}

/** Refuses if a block before the writer, in a loop around both, reads the buffer: a copy made after the loop would come too late. */
export function requireNoReaderBefore(tree: FuncTree, writer: BlockRealize, buffer: Buffer): void {
  const order = [...tree.blocks.values()];
  const [outer] = tree.loopsOf(writer);
  if (outer === undefined) return;
  const earlier = order.slice(0, order.indexOf(writer)).find((b) => tree.contains(outer, b) && b.block.reads.some((r) => r.buffer === buffer));
  if (earlier !== undefined) refuse(`block \`${earlier.block.name}\` reads \`${buffer.name}\` before block \`${writer.block.name}\` writes it`, [earlier.block, writer.block]);
}

/**
 * Refuses a block that leaves some of what it is said to write of a buffer as it is, if there may be something: in a
 * parameter, or from another block. A copy of all of it would write over that. `place` is where the copy goes: conditions
 * around it are the copy's too; undefined if all of the block's own condition is.
 */
export function requireWritesAll(tree: FuncTree, realize: BlockRealize, region: BufferRegion, place: Stmt | undefined): void {
  const { block } = realize;
  const { buffer } = region;
  const isParam = [...tree.func.bufferMap.values()].includes(buffer);
  const isInside = (b: BlockRealize): boolean => tree.contains(b, realize) || tree.contains(realize, b);
  if (!isParam && ![...tree.blocks.values()].some((b) => !isInside(b) && b.block.writes.some((w) => w.buffer === buffer))) return;
  if (!hasConditionalStore(block.body, buffer) && (place === undefined || writesExactly(tree, realize, region, place))) return;
  refuse(`block \`${block.name}\` may leave parts of \`${buffer.name}\` as they are`, block, "A copy of all that it may write would lose what is there.");
}

function hasConditionalStore(body: Stmt, buffer: Buffer): boolean {
  let found = false;
  const look = (s: Stmt, isConditional: boolean): void => {
    found ||= isConditional && s.kind === "tir.BufferStore" && s.buffer === buffer;
    const guards = s.kind === "tir.IfThenElse" || (s.kind === "tir.BlockRealize" && !isConstInt(s.predicate, 1));
    stmtChildren(s).forEach((c) => look(c, isConditional || guards));
  };
  look(body, false);
  return found;
}

/** True if the block writes all of what its region becomes at `place`, apart from conditions around that. */
function writesExactly(tree: FuncTree, realize: BlockRealize, region: BufferRegion, place: Stmt): boolean {
  const between = loopDomain(tree, realize, place);
  if (!conjuncts(realize.predicate).some((c) => usesVar(c, (v) => between.has(v)))) return true;
  const { region: ranges } = substitute(region, bindingsOf(realize));
  const iters = relaxedLoops(tree, realize, place, scopeOf(region.buffer));
  return estimateRegionStrictBound(ranges, iters, { predicate: realize.predicate, analyzer: analyzerFor(tree) }) !== undefined;
}

/** Refuses if a copy of all that the block accesses would leave a buffer of constant size, as accesses under a condition do. */
export function requireInBounds(block: Block, buffer: Buffer, ranges: readonly Range[], domains: Iterable<readonly [AnyVar, Range | undefined]>): void {
  const analyzer = new Analyzer();
  for (const [v, r] of domains) if (r !== undefined) analyzer.bind(v, r);
  const fits = ranges.every((r, i) => {
    const extent = buffer.shape[i];
    if (extent?.kind !== "ir.IntImm") return true;
    const last = analyzer.simplify(sub(add(r.min, r.extent), 1));
    return analyzer.constIntBound(analyzer.simplify(r.min)).min >= 0 && analyzer.constIntBound(last).max < Number(extent.value);
  });
  if (!fits) refuse(`block \`${block.name}\` accesses \`${buffer.name}\` under conditions, elsewhere it would leave the buffer`, block, "A copy of all that is accessed would not be under these conditions.");
}

/** The values of a block's variables: their domains, and beyond those where loops without a condition take them. */
export function domainsOf(tree: FuncTree, realize: BlockRealize): readonly (readonly [AnyVar, Range | undefined])[] {
  const analyzer = new Analyzer();
  const loops = tree.loopsOf(realize);
  for (const [v, r] of rangesOf(loops)) analyzer.bind(v, r);
  const constantLoops = new Set<AnyVar>(loops.filter((l) => isConst(l.min) && isConst(l.extent)).map((l) => l.loopVar));
  return realize.block.iterVars.map((iv, i) => {
    const value = realize.iterValues[i];
    const end = iv.dom && asInt(add(iv.dom.min, iv.dom.extent));
    if (value === undefined || end === undefined || !isConstInt(realize.predicate, 1)) return [iv.var, iv.dom] as const;
    // Of sums of such loops the bounds are exact.
    if (simplifyLinear(value, (v) => (constantLoops.has(v) ? v : undefined)) === undefined) return [iv.var, iv.dom] as const;
    const { max } = analyzer.constIntBound(value);
    if (!Number.isFinite(max) || max < end || iv.dom === undefined) return [iv.var, iv.dom] as const;
    return [iv.var, makeRange(iv.dom.min, sub(constant(max + 1, iv.var.dtype), iv.dom.min))] as const;
  });
}

/** The domains of loops. */
export function rangesOf(loops: readonly For[]): readonly (readonly [AnyVar, Range])[] {
  return loops.map((l) => [l.loopVar, makeRange(l.min, l.extent)] as const);
}
