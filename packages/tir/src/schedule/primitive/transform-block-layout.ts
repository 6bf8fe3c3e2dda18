import type { AnyVar, IterVarType, PrimExpr } from "../../ir/expr.ts";
import { undefinedVars } from "../../ir/free-vars.ts";
import { makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeFor } from "../../ir/make-stmt.ts";
import { cast, constant, isConstInt } from "../../ir/ops.ts";
import type { Block, BlockRealize, IndexMap, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { simplifyAccesses } from "../access-context.ts";
import { conditionOnVars } from "../block-condition.ts";
import { analyzerFor } from "../block-relations.ts";
import { blockKey, childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import { inverseOf, mapIndices, mapShape } from "../index-map.ts";
import { requireFromZero } from "../loop-body.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * The iteration space of a block changed by a one-to-one map of its variables; its loops, which must bind them one to
 * one, become one loop for each new variable.
 */
export function transformBlockLayout(tree: FuncTree, realize: BlockRealize, map: IndexMap): Outcome {
  const { block } = realize;
  const analyzer = analyzerFor(tree);
  const loops = tree.loopsOf(realize);
  loops.forEach(requireFromZero);
  const [outermost] = loops;
  if (outermost !== undefined && childBlocks(outermost).length !== 1) refuse(`loop \`${outermost.loopVar.name}\` holds more than block \`${block.name}\``, outermost);
  requireTrivialBinding(tree, realize);
  if (map.initialIndices.length !== block.iterVars.length) {
    return refuse(`the index map takes ${map.initialIndices.length} indices, block \`${block.name}\` has ${block.iterVars.length} variables`, block);
  }
  const extents = block.iterVars.map((iv) => {
    if (iv.dom === undefined || !isConstInt(iv.dom.min, 0)) return refuse(`the domain of \`${iv.var.name}\` does not start at 0`, block);
    return iv.dom.extent;
  });
  const indices = mapIndices(map, block.iterVars.map((iv) => iv.var), analyzer);
  const shape = mapShape(map, extents, analyzer);
  const condition = conditionOnVars(realize, loops);
  const types = new Map<AnyVar, IterVarType>(block.iterVars.map((iv) => [iv.var, iv.iterType]));
  const iterVars = indices.map((e, i) => {
    const extent = shape[i] ?? constant(1, e.dtype);
    const v = makeVar(`v${i}`, e.dtype);
    const type = isConstInt(extent, 1) ? "kDataPar" : typeOf(e, types, block);
    return makeIterVar(makeRange(constant(0, v.dtype), cast(v.dtype, extent)), v, type);
  });
  const ranges = extents.map((e) => makeRange(constant(0, e.dtype), e));
  const back = mapIndices(inverseOf(map, ranges, analyzer), iterVars.map((iv) => iv.var), analyzer);
  const values = new Map<AnyVar, PrimExpr>();
  block.iterVars.forEach((iv, i) => values.set(iv.var, back[i] ?? iv.var));
  const substituted = substitute({ ...block, iterVars: [] } as Stmt, values);
  if (substituted.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  const renewed = simplifyAccesses({ ...substituted, iterVars }, analyzer);
  const loopVars = iterVars.map((iv, i) => makeVar(`ax${i}`, iv.var.dtype));
  const nest = loopVars.reduceRight<Stmt>((body, v, i) => makeFor(v, constant(0, "int32"), shape[i] ?? constant(1, v.dtype), body), {
    ...realize,
    iterValues: loopVars,
    predicate: analyzer.simplify(substitute(substitute(condition, values), new Map(iterVars.map((iv, i) => [iv.var, loopVars[i] ?? iv.var])))),
    block: renewed,
  });
  return {
    func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[outermost ?? realize, nest]])),
    rekeyed: new Map([[blockKey(block), blockKey(renewed)]]),
  };
}

/** Refuses if a binding value is not a loop variable. */
export function requireTrivialBinding(tree: FuncTree, realize: BlockRealize): void {
  const loops = new Set<PrimExpr>(tree.loopsOf(realize).map((l) => l.loopVar));
  const bad = realize.iterValues.findIndex((v) => !loops.has(v));
  if (bad >= 0) refuse(`\`${realize.block.iterVars[bad]?.var.name ?? "?"}\` of block \`${realize.block.name}\` is not bound to one loop`, realize.block);
}

function typeOf(e: PrimExpr, types: ReadonlyMap<AnyVar, IterVarType>, block: Block): IterVarType {
  const found = new Set(undefinedVars(e).flatMap((v) => types.get(v) ?? []));
  const [type] = found;
  if (type === undefined || found.size > 1 || type === "kOpaque") {
    return refuse(`a new index of block \`${block.name}\` is made of variables of several kinds, or of none`, [block, e], "Spatial and reduction variables cannot be fused.");
  }
  return type;
}
