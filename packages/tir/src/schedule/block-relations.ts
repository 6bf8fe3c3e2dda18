import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, Range } from "../ir/expr.ts";
import type { Block, BlockRealize, BufferStore, PrimFunc, Stmt } from "../ir/stmt.ts";
import { usesVar } from "../ir/free-vars.ts";
import { asInt, isConstInt } from "../ir/ops.ts";
import { childBlocks, stmtChildren, type FuncTree } from "./func-tree.ts";
import { boundsOf } from "./index-simplify.ts";
import { refuse } from "./schedule-error.ts";

/** The buffers a block writes. */
export function writtenBuffers(block: Block): readonly Buffer[] {
  return [...new Set(block.writes.map((r) => r.buffer))];
}

/** The buffers a block reads. */
export function readBuffers(block: Block): readonly Buffer[] {
  return [...new Set(block.reads.map((r) => r.buffer))];
}

/** The blocks side by side in the scope of a block, itself included, in order. */
export function scopeBlocks(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const scope = tree.scopeOf(realize);
  return scope === undefined ? [realize] : childBlocks(scope);
}

/** The blocks of the same scope that write what this one reads; itself left out. */
export function producersOf(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const reads = new Set(readBuffers(realize.block));
  return scopeBlocks(tree, realize).filter((b) => b !== realize && writtenBuffers(b.block).some((w) => reads.has(w)));
}

/** The blocks of the same scope that read what this one writes; itself left out. */
export function consumersOf(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const writes = new Set(writtenBuffers(realize.block));
  return scopeBlocks(tree, realize).filter((b) => b !== realize && readBuffers(b.block).some((r) => writes.has(r)));
}

/** The blocks of a scope that write to memory the scope does not allocate. */
export function outputBlocks(tree: FuncTree, scope: BlockRealize): readonly BlockRealize[] {
  const inside = new Set(scope.block.allocBuffers);
  void tree;
  return childBlocks(scope).filter((b) => writtenBuffers(b.block).some((w) => !inside.has(w)));
}

/** True if every iteration variable is spatial, no buffer is both read and written, and no other block writes its outputs. */
export function isCompleteBlock(tree: FuncTree, realize: BlockRealize): boolean {
  const { block } = realize;
  const writes = writtenBuffers(block);
  return (
    block.iterVars.every((iv) => iv.iterType === "kDataPar") &&
    !readBuffers(block).some((r) => writes.includes(r)) &&
    isOnlyWriter(tree, realize)
  );
}

/**
 * True if the block has an init, only spatial and reduction variables, and no reduction variable in the indices it
 * writes, and no other block writes its outputs.
 */
export function isReductionBlock(tree: FuncTree, realize: BlockRealize): boolean {
  return hasReductionForm(realize.block) && isOnlyWriter(tree, realize);
}

/** As `isReductionBlock`, of the block alone. */
export function hasReductionForm(block: Block): boolean {
  if (block.init === undefined) return false;
  if (block.iterVars.some((iv) => iv.iterType !== "kDataPar" && iv.iterType !== "kCommReduce")) return false;
  const reduction = new Set(block.iterVars.filter((iv) => iv.iterType === "kCommReduce").map((iv) => iv.var));
  return block.writes.every((w) => w.region.every((r) => !usesVar(r.min, (v) => v.kind === "tir.Var" && reduction.has(v))));
}

/** True if no other block of the scope writes what this one does, as far as constant bounds show. */
function isOnlyWriter(tree: FuncTree, realize: BlockRealize): boolean {
  const { writes } = realize.block;
  return scopeBlocks(tree, realize).every(
    (b) => b === realize || b.block.writes.every((w) => writes.every((own) => own.buffer !== w.buffer || areApart(realize.block, own, b.block, w))),
  );
}

/** True if two written regions share no element for any values of their blocks' variables. */
function areApart(a: Block, first: BufferRegion, b: Block, second: BufferRegion): boolean {
  return first.region.some((r, i) => {
    const other = second.region[i];
    const x = rangeOver(a, r);
    const y = other && rangeOver(b, other);
    return x !== undefined && y !== undefined && (x[1] < y[0] || y[1] < x[0]);
  });
}

function rangeOver(block: Block, r: Range): readonly [number, number] | undefined {
  const bounds = new Map<AnyVar, readonly [number, number]>();
  for (const iv of block.iterVars) {
    const low = iv.dom && asInt(iv.dom.min);
    const n = iv.dom && asInt(iv.dom.extent);
    if (low !== undefined && n !== undefined) bounds.set(iv.var, [low, low + n - 1]);
  }
  const start = boundsOf(r.min, bounds);
  const n = boundsOf(r.extent, bounds);
  return start && n && [start[0], start[1] + n[1] - 1];
}

/** The block that allocates a buffer; undefined for one of a parameter. */
export function allocatorOf(tree: FuncTree, buffer: Buffer): BlockRealize | undefined {
  return [...tree.blocks.values()].find((r) => r.block.allocBuffers.includes(buffer));
}

/** The outermost statement around `s` that is still inside its scope block: a direct item of the block's body. */
export function topInScope(tree: FuncTree, s: Stmt): Stmt {
  let top = s;
  for (let p = tree.parent(top); p !== undefined && p.kind !== "tir.Block" && p.kind !== "tir.SeqStmt"; p = tree.parent(top)) top = p;
  const parent = tree.parent(top);
  if (parent?.kind === "tir.SeqStmt") {
    const above = tree.parent(parent);
    if (above !== undefined && above.kind !== "tir.Block") return topInScope(tree, parent);
  }
  return top;
}

/** The only store of a block whose body is nothing else. */
export function onlyStore(block: Block): BufferStore {
  if (block.body.kind !== "tir.BufferStore") {
    return refuse(`the body of block \`${block.name}\` is not a single store`, block);
  }
  return block.body;
}

/** What moving a block needs: that it is complete or a reduction. */
export function requireMovable(tree: FuncTree, realize: BlockRealize): void {
  if (!isCompleteBlock(tree, realize) && !isReductionBlock(tree, realize)) {
    refuse(
      `block \`${realize.block.name}\` is neither complete nor a reduction`,
      realize.block,
      "A block can move if its iteration variables are spatial (or reductions with an init) and no other block of the scope writes its output.",
    );
  }
}

/** True for the predicate `True`. */
export function alwaysRuns(realize: BlockRealize): boolean {
  return isConstInt(realize.predicate, 1);
}

/** The root block of a function. */
export function rootRealize(func: PrimFunc): BlockRealize {
  const { body } = func;
  if (body.kind === "tir.BlockRealize") return body;
  return refuse("the function has no root block", func, "Schedules work on functions whose body is a block.");
}

/** True if `s` holds a block that is not in another one. */
export function holdsBlock(s: Stmt): boolean {
  return s.kind === "tir.BlockRealize" || stmtChildren(s).some(holdsBlock);
}
