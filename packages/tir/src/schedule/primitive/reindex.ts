import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeBufferStore, makeFor } from "../../ir/make-stmt.ts";
import { add, constant, isConst } from "../../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { visitStmt } from "../../ir/visit.ts";
import { Analyzer } from "../../arith/analyzer.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { conditionOnVars } from "../block-condition.ts";
import { scopeRoot } from "../block-relations.ts";
import type { BufferIndex } from "../buffer-ref.ts";
import { changeAccess, pointsOf, withStage, type AccessChange } from "../cache-stage.ts";
import { domainsOf, requireInBounds, requireNoReaderBefore, requireNotUpdated, requireWritesAll } from "../copy-safety.ts";
import { blockKey, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * A copy of a buffer that has one dimension for each variable of the block that its accesses use, in the block's order,
 * and which the block uses in place of the buffer; gives the block that copies.
 */
export function reindex(tree: FuncTree, realize: BlockRealize, which: BufferIndex): Outcome {
  const { block } = realize;
  const { buffer, side } = which;
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  requireNotUpdated(block, buffer);
  if (side === "write") {
    requireNoReaderBefore(tree, realize, buffer);
    requireWritesAll(tree, realize, makeBufferRegion(buffer, []), undefined);
  }
  const indices = accessIndices(block, buffer);
  requireInBounds(block, buffer, pointsOf(buffer, indices).region, domainsOf(tree, realize));
  const covered = block.iterVars.filter((iv) => indices.some((i) => usesVar(i, iv.var)));
  const shape = covered.map((iv) => (iv.dom === undefined ? constant(1, iv.var.dtype) : add(iv.dom.min, iv.dom.extent)));
  const name = `${buffer.name}_reindex`;
  const copy: Buffer = { ...buffer, name, shape, strides: [], data: { ...buffer.data, name: `${buffer.data.name}_reindex` } };
  const top = topOfChain(tree, realize);
  const parent = tree.parent(top);
  const pos = (parent?.kind === "tir.SeqStmt" ? parent.seq.indexOf(top) : 0) + (side === "write" ? 1 : 0);

  const vars = new Map<AnyVar, PrimExpr>();
  const iterVars = covered.map((iv, i) => {
    const v = makeVar(`v${i}`, iv.var.dtype);
    vars.set(iv.var, v);
    return makeIterVar(iv.dom, v, "kDataPar");
  });
  const own = iterVars.map((iv) => iv.var);
  const target = indices.map((i) => substitute(i, vars));
  const [from, to, reads, writes] = side === "write" ? [copy, buffer, own, target] : [buffer, copy, target, own];
  const condition = side === "write" ? writeCondition(tree, realize, vars) : constant(1, "bool");
  const copyBlock = makeBlock(`${to.name}_reindex`, iterVars, [pointsOf(from, reads)], [pointsOf(to, writes)], makeBufferStore(to, makeBufferLoad(from, reads), writes));
  const loops = iterVars.map((iv, i) => makeVar(`ax${i}`, iv.var.dtype));
  const nest = iterVars.reduceRight<Stmt>((body, iv, i) => {
    const v = loops[i];
    return v === undefined || iv.dom === undefined ? body : makeFor(v, iv.dom.min, iv.dom.extent, body);
  }, makeBlockRealize(loops, substitute(condition, new Map(own.map((v, i) => [v, loops[i] ?? v]))), copyBlock));
  const newIndices = covered.map((iv) => iv.var);
  const change: AccessChange = { from: buffer, to: copy, indices: () => newIndices, region: () => pointsOf(copy, newIndices).region };
  const changed = changeAccess(realize, change, { writes: true });
  const func = withStage(tree, scope, new Map<Stmt, Stmt>([[realize, changed]]), { at: scope.block, pos }, nest, copy);
  return { func, blocks: [blockKey(copyBlock)] };
}

/**
 * Where the block writes, in the variables of the copy that `vars` gives for its own: what it leaves as it is, the copy
 * must leave too. Refuses a condition on variables that the copy does not have.
 */
function writeCondition(tree: FuncTree, realize: BlockRealize, vars: ReadonlyMap<AnyVar, PrimExpr>): PrimExpr {
  const condition = conditionOnVars(realize, tree.loopsOf(realize));
  const lost = realize.block.iterVars.find((iv) => !vars.has(iv.var) && usesVar(condition, iv.var));
  if (lost !== undefined) refuse(`block \`${realize.block.name}\` is guarded by \`${lost.var.name}\`, which the copy does not go over`, [condition, realize.block]);
  return substitute(condition, vars);
}

/** The indices at which the block accesses a buffer, simplified; they must be the same everywhere. */
function accessIndices(block: Block, buffer: Buffer): readonly PrimExpr[] {
  let found: readonly PrimExpr[] | undefined;
  const note = (indices: readonly PrimExpr[]): void => {
    if (found === undefined) found = indices;
    else if (!found.every((e, i) => exprDeepEqual(e, indices[i] ?? e))) {
      refuse(`block \`${block.name}\` accesses \`${buffer.name}\` at several different indices`, block, "Reindexing needs the same indices at each access.");
    }
  };
  visitStmt(block.body, {
    stmt(s) {
      if (s.kind === "tir.Block") refuse(`block \`${block.name}\` has blocks inside`, block);
      if (s.kind === "tir.BufferStore" && s.buffer === buffer) note(s.indices);
      return undefined;
    },
    expr(e) {
      if (e.kind === "tir.BufferLoad" && e.buffer === buffer) note(e.indices);
      if (e === buffer.data) refuse(`block \`${block.name}\` accesses \`${buffer.name}\` through its pointer`, block);
      return undefined;
    },
  });
  if (found === undefined) return refuse(`block \`${block.name}\` does not access \`${buffer.name}\``, block);
  const analyzer = new Analyzer();
  for (const iv of block.iterVars) if (iv.dom !== undefined) analyzer.bind(iv.var, iv.dom);
  return found.map((e) => simplifyNonTrivial(e, analyzer));
}

/** The simplified expression, unless it becomes a constant: a variable of extent 1 stays. */
export function simplifyNonTrivial(e: PrimExpr, analyzer: Analyzer): PrimExpr {
  const simple = analyzer.simplify(e);
  return isConst(simple) ? e : simple;
}

/** The outermost loop of a chain of loops, each the only statement of the one around it, around the block. */
function topOfChain(tree: FuncTree, realize: BlockRealize): Stmt {
  let top: Stmt = realize;
  for (let p = tree.parent(top); p?.kind === "tir.For"; p = tree.parent(p)) top = p;
  const parent = tree.parent(top);
  const above = parent?.kind === "tir.SeqStmt" ? tree.parent(parent) : parent;
  if (above?.kind !== "tir.Block") refuse(`block \`${realize.block.name}\` is not alone in its loops`, realize.block);
  return top;
}
