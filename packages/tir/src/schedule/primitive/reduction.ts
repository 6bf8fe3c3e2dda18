import type { AnyVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeIterVar, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import type { Block, BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { constant } from "../../ir/ops.ts";
import { hasReductionForm } from "../block-relations.ts";
import { blockKey, replaceStmts, type FuncTree } from "../func-tree.ts";
import { refuse } from "../schedule-error.ts";
import type { BlockResult } from "./cache.ts";

/**
 * The init of a reduction block made a block of its own before `loop`, which must hold all reduction loops of the block.
 * The new block is `<name>_init`, the rest becomes `<name>_update`.
 */
export function decomposeReduction(tree: FuncTree, realize: BlockRealize, loop: For): BlockResult {
  const { block } = realize;
  const { init } = block;
  if (init === undefined || !hasReductionForm(block)) {
    return refuse(`block \`${block.name}\` is not a reduction with an init`, block);
  }
  const loops = tree.loopsOf(realize);
  const at = loops.indexOf(loop);
  if (at < 0) return refuse(`loop \`${loop.loopVar.name}\` is not around block \`${block.name}\``, loop);
  const reductionValues = realize.iterValues.filter((_, i) => block.iterVars[i]?.iterType === "kCommReduce");
  for (const outer of loops.slice(0, at)) {
    if (reductionValues.some((v) => usesVar(v, outer.loopVar))) {
      refuse(`reduction loop \`${outer.loopVar.name}\` is outside \`${loop.loopVar.name}\``, outer, "Choose a loop at or above the outermost reduction loop.");
    }
  }
  const vars = new Map<AnyVar, PrimExpr>();
  const values = new Map<AnyVar, PrimExpr>();
  const iterVars = block.iterVars.flatMap((iv, i) => {
    const value = realize.iterValues[i];
    if (iv.iterType !== "kDataPar" || value === undefined) return [];
    const fresh = makeVar(`${iv.var.name}_init`, iv.var.dtype);
    vars.set(iv.var, fresh);
    return [{ iterVar: makeIterVar(iv.dom, fresh, "kDataPar"), value }];
  });
  const kept = loops.slice(at).filter((l) => iterVars.some((iv) => usesVar(iv.value, l.loopVar)));
  const initLoops = kept.map((l) => {
    const fresh = makeVar(`${l.loopVar.name}_init`, l.loopVar.dtype);
    values.set(l.loopVar, fresh);
    return { loop: l, fresh };
  });
  const initBlock = makeBlock(
    `${block.name}_init`,
    iterVars.map((iv) => iv.iterVar),
    [],
    block.writes.map((w) => substitute(w, vars)),
    substitute(init, vars),
    { annotations: block.annotations },
  );
  const predicate = initPredicate(realize.predicate, loops.slice(at), kept, values);
  const initRealize = makeBlockRealize(iterVars.map((iv) => substitute(iv.value, values)), predicate, initBlock);
  const nest = initLoops.reduceRight<Stmt>(
    (body, { loop: l, fresh }) => makeFor(fresh, substitute(l.min, values), substitute(l.extent, values), body),
    initRealize,
  );
  const update: Block = { ...block, name: `${block.name}_update`, init: undefined, reads: updateReads(block) };
  const body = replaceStmts({ ...tree.func, body: loop }, new Map([[block, update]])).body;
  const func = replaceStmts(tree.func, new Map([[loop, makeSeq([nest, body])]]));
  return { func, block: blockKey(initBlock) };
}

/** Without an init the block reads what it updates. */
function updateReads(block: Block): Block["reads"] {
  const known = new Set(block.reads.map((r) => r.buffer));
  return [...block.writes.filter((w) => !known.has(w.buffer)), ...block.reads];
}

/** The conjuncts of the predicate that speak of the init's loops only. */
function initPredicate(
  predicate: PrimExpr,
  inside: readonly For[],
  kept: readonly For[],
  values: ReadonlyMap<AnyVar, PrimExpr>,
): PrimExpr {
  const dropped = new Set<AnyVar>(inside.filter((l) => !kept.includes(l)).map((l): Var => l.loopVar));
  const parts = conjuncts(predicate).filter((p) => !usesVar(p, (v) => dropped.has(v)));
  return parts.reduce<PrimExpr>(
    (acc, p) => {
      const part = substitute(p, values);
      return acc.kind === "ir.IntImm" ? part : { kind: "tir.And", dtype: "bool", a: acc, b: part };
    },
    constant(1, "bool"),
  );
}

/** The parts of a conjunction. */
export function conjuncts(e: PrimExpr): readonly PrimExpr[] {
  return e.kind === "tir.And" ? [...conjuncts(e.a), ...conjuncts(e.b)] : [e];
}
