import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { mapExpr, mapStmt } from "../../ir/mutate.ts";
import { visitStmt } from "../../ir/visit.ts";
import { isConstInt } from "../../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { getBlockAccessRegion } from "../../analysis/block-access-region.ts";
import { collectSums } from "../../analysis/linear-form.ts";
import { allocatorOf, alwaysRuns, consumersOf, isCompleteBlock, onlyStore, producersOf } from "../block-relations.ts";
import { FuncTree, replaceStmts, withAllocated } from "../func-tree.ts";
import { refuse } from "../schedule-error.ts";

/** The block's expression put in place of every read of its output; the block and its buffer go. */
export function computeInline(tree: FuncTree, realize: BlockRealize): PrimFunc {
  const { block } = realize;
  const store = onlyStore(block);
  const { buffer } = store;
  if (!isCompleteBlock(tree, realize)) {
    refuse(`block \`${block.name}\` is not complete`, block, "Only blocks with spatial variables that alone write their output can be inlined.");
  }
  if (!alwaysRuns(realize)) refuse(`block \`${block.name}\` has a predicate`, block);
  if (block.matchBuffers.length > 0) refuse(`block \`${block.name}\` matches buffers`, block);
  const allocator = allocatorOf(tree, buffer);
  if (allocator === undefined) {
    return refuse(`block \`${block.name}\` writes the output \`${buffer.name}\``, block, "A block whose result leaves the function cannot be inlined.");
  }
  const expand = expansionOf(block, store);
  const inlined = dropBlock(tree, realize, buffer, allocator);
  return rewriteReads(inlined, buffer, expand);
}

/** From the indices of a read of the output to the value computed there. */
function expansionOf(block: Block, store: BufferStore): (indices: readonly PrimExpr[]) => PrimExpr {
  const positions = new Map<AnyVar, number>();
  store.indices.forEach((index, i) => {
    if (index.kind === "tir.Var") {
      if (positions.has(index)) refuse(`\`${index.name}\` stands twice in the indices that block \`${block.name}\` writes`, block);
      positions.set(index, i);
    } else if (!isConstInt(index, 0)) {
      refuse(
        `block \`${block.name}\` writes \`${store.buffer.name}\` at an index that is not a variable`,
        block,
        "Inlining needs each index to be one iteration variable of the block.",
      );
    }
  });
  const free = block.iterVars.find((iv) => !positions.has(iv.var) && usesVar(store.value, iv.var));
  if (free !== undefined && !(free.dom !== undefined && isConstInt(free.dom.extent, 1))) {
    refuse(`\`${free.var.name}\` of block \`${block.name}\` is not in the indices it writes`, block);
  }
  return (indices) => {
    const values = new Map<AnyVar, PrimExpr>();
    for (const iv of block.iterVars) {
      const at = positions.get(iv.var);
      const value = at === undefined ? iv.dom?.min : indices[at];
      if (value !== undefined) values.set(iv.var, value);
    }
    return substitute(store.value, values);
  };
}

function dropBlock(tree: FuncTree, realize: BlockRealize, buffer: Buffer, allocator: BlockRealize): PrimFunc {
  const without = replaceStmts(tree.func, new Map<Stmt, Stmt | undefined>([[realize, undefined]]));
  const scope = new FuncTree(without);
  const holder = allocatorOf(scope, buffer) ?? allocator;
  return replaceStmts(without, new Map([[holder.block, withAllocated(holder.block, [], [buffer])]]));
}

/** Replaces the reads of a buffer and finds the regions of the blocks that had any anew. */
function rewriteReads(func: PrimFunc, buffer: Buffer, expand: (indices: readonly PrimExpr[]) => PrimExpr): PrimFunc {
  const rule = (e: PrimExpr): PrimExpr => (e.kind === "tir.BufferLoad" && e.buffer === buffer ? expand(e.indices) : e);
  const body = mapStmt(func.body, {
    expr: rule,
    stmt(s) {
      if (s.kind !== "tir.Block" || !s.reads.some((r) => r.buffer === buffer)) return s;
      return refreshReads(s, buffer);
    },
  });
  return { ...func, body };
}

/** The declared reads of a block with those of `gone` replaced by what its body now reads. */
function refreshReads(block: Block, gone: Buffer): Block {
  const { reads } = getBlockAccessRegion(block);
  const declared = new Set(block.reads.map((r) => r.buffer));
  const kept = block.reads.filter((r) => r.buffer !== gone);
  const added = reads.filter((r) => !declared.has(r.buffer) || !kept.some((k) => k.buffer === r.buffer));
  const refreshed = kept.map((k) => reads.find((r) => r.buffer === k.buffer) ?? k);
  return { ...block, reads: [...refreshed, ...added] };
}

/** The block put into its only producer: what the producer computed is transformed before it is written. */
export function reverseComputeInline(tree: FuncTree, realize: BlockRealize): PrimFunc {
  const { block } = realize;
  const store = onlyStore(block);
  const producers = producersOf(tree, realize);
  const [producer] = producers;
  if (producer === undefined || producers.length !== 1) {
    return refuse(`block \`${block.name}\` has ${producers.length} producers`, block, "Reverse inlining needs exactly one.");
  }
  if (!isCompleteBlock(tree, producer)) refuse(`producer \`${producer.block.name}\` is not complete`, producer.block);
  if (!isCompleteBlock(tree, realize)) refuse(`block \`${block.name}\` is not complete`, block);
  if (!alwaysRuns(realize)) refuse(`block \`${block.name}\` has a predicate`, block);
  const produced = onlyStore(producer.block);
  const { buffer } = produced;
  if (consumersOf(tree, producer).length !== 1) refuse(`\`${buffer.name}\` has other readers`, producer.block);
  const allocator = allocatorOf(tree, buffer);
  if (allocator === undefined) return refuse(`\`${buffer.name}\` is an output of the function`, producer.block);

  const values = invert(block, buffer, produced.indices);
  const value = mapExpr(substitute(store.value, values), (e) =>
    e.kind === "tir.BufferLoad" && e.buffer === buffer ? produced.value : e,
  );
  const indices = store.indices.map((i) => collectSums(substitute(i, values)));
  const body: BufferStore = { ...produced, buffer: store.buffer, indices, value };
  const merged: Block = { ...producer.block, body };
  const { reads, writes } = getBlockAccessRegion(merged);
  const withBody = replaceStmts(
    tree.func,
    new Map<Stmt, Stmt | undefined>([
      [producer.block, { ...merged, reads, writes }],
      [realize, undefined],
    ]),
  );
  const holder = allocatorOf(new FuncTree(withBody), buffer) ?? allocator;
  return replaceStmts(withBody, new Map([[holder.block, withAllocated(holder.block, [], [buffer])]]));
}

/** The values of the consumer's variables where the producer writes `indices`: its reads must be single variables. */
function invert(block: Block, buffer: Buffer, indices: readonly PrimExpr[]): ReadonlyMap<AnyVar, PrimExpr> {
  const values = new Map<AnyVar, PrimExpr>();
  visitStmt(block.body, {
    expr(e) {
      if (e.kind !== "tir.BufferLoad" || e.buffer !== buffer) return undefined;
      e.indices.forEach((index, i) => {
        const value = indices[i];
        if (value === undefined || isConstInt(index, 0)) return;
        const known = index.kind === "tir.Var" ? values.get(index) : undefined;
        if (index.kind !== "tir.Var" || (known !== undefined && !exprDeepEqual(known, value))) {
          refuse(`block \`${block.name}\` does not read \`${buffer.name}\` element by element`, block);
        } else values.set(index, value);
      });
      return undefined;
    },
  });
  const unread = block.iterVars.find((iv) => !values.has(iv.var));
  if (unread !== undefined) {
    if (!(unread.dom !== undefined && isConstInt(unread.dom.extent, 1))) {
      refuse(`\`${unread.var.name}\` of block \`${block.name}\` is not in the indices it reads \`${buffer.name}\` at`, block);
    }
    for (const iv of block.iterVars) if (!values.has(iv.var) && iv.dom) values.set(iv.var, iv.dom.min);
  }
  return values;
}
