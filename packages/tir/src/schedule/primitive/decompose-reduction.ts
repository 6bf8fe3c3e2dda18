import { conjuncts } from "../../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { makeIterVar, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { and, constant, isConstInt } from "../../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { requireOnce, requireReduction, scopeRoot } from "../block-relations.ts";
import { blockKey, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * The init of a reduction block made a block of its own before `loop`, which must be at or above all reduction loops of
 * the block. The new block is `<name>_init`, the rest becomes `<name>_update`.
 */
export function decomposeReduction(tree: FuncTree, realize: BlockRealize, loop: For): Outcome {
  const { block } = realize;
  const scope = scopeRoot(tree, realize);
  const loops = tree.loopsOf(realize);
  const at = loops.indexOf(loop);
  if (at < 0) refuse(`loop \`${loop.loopVar.name}\` is not around block \`${block.name}\``, [loop, block]);
  requireReduction(tree, realize, scope);
  const { init } = block;
  if (init === undefined) return refuse(`block \`${block.name}\` has no init`, block);
  const reductions = realize.iterValues.filter((_, i) => block.iterVars[i]?.iterType === "kCommReduce");
  for (const outer of loops.slice(0, at)) {
    if (reductions.some((v) => usesVar(v, outer.loopVar))) {
      refuse(`reduction loop \`${outer.loopVar.name}\` is outside \`${loop.loopVar.name}\``, [outer, loop, block], "Choose a loop at or above the outermost reduction loop.");
    }
  }
  const vars = new Map<AnyVar, PrimExpr>();
  const spatial = block.iterVars.flatMap((iv, i) => {
    const value = realize.iterValues[i];
    if (iv.iterType !== "kDataPar" || value === undefined) return [];
    const fresh = makeVar(iv.var.name, iv.var.dtype);
    vars.set(iv.var, fresh);
    return [{ iterVar: makeIterVar(iv.dom, fresh, "kDataPar", iv.threadTag), value }];
  });
  const inside = loops.slice(at);
  const kept = inside.filter((l) => spatial.some((s) => usesVar(s.value, l.loopVar)));
  const repeats = inside.find((l) => !isConstInt(l.extent, 1) && !realize.iterValues.some((v) => usesVar(v, l.loopVar)));
  if (repeats !== undefined) refuse(`loop \`${repeats.loopVar.name}\` repeats block \`${block.name}\`, which would add up more than once`, [repeats, block], "Each loop from there on must be in a binding of the block.");
  requireOnce(tree, realize, loop);
  const fresh = new Map<AnyVar, PrimExpr>(kept.map((l) => [l.loopVar, makeVar(`${l.loopVar.name}_init`, l.loopVar.dtype)]));
  const initBlock = makeBlock(`${block.name}_init`, spatial.map((s) => s.iterVar), [], block.writes.map((w) => substitute(w, vars)), substitute(init, vars), {
    annotations: block.annotations,
  });
  const predicate = initPredicate(realize.predicate, inside.filter((l) => !kept.includes(l)));
  const body = kept.reduceRight<Stmt>((s, l) => {
    const v = fresh.get(l.loopVar);
    if (v?.kind !== "tir.Var") return s;
    const threadBinding = l.threadBinding && { ...l.threadBinding, var: { ...l.threadBinding.var } };
    return makeFor(v, l.min, l.extent, s, { forKind: l.forKind, threadBinding });
  }, makeBlockRealize(spatial.map((s) => s.value), predicate, initBlock));
  const update: Block = { ...block, name: `${block.name}_update`, init: undefined, reads: updateReads(block) };
  const inner = replaceStmts({ ...tree.func, body: loop }, new Map([[block, update]])).body;
  const func = replaceStmts(tree.func, new Map([[loop, makeSeq([substitute(body, fresh), inner])]]));
  const rekeyed = block.iterVars.length === 0 ? new Map([[blockKey(block), blockKey(update)]]) : new Map();
  return { func, blocks: [blockKey(initBlock)], rekeyed };
}

/** Without an init the block reads what it updates. */
function updateReads(block: Block): Block["reads"] {
  const known = new Set(block.reads.map((r) => r.buffer));
  return [...block.writes.filter((w) => !known.has(w.buffer)), ...block.reads];
}

/** The conditions that do not speak of loops which the init does not have, last one first. A loop that runs once is what it starts at. */
export function initPredicate(predicate: PrimExpr, dropped: readonly For[]): PrimExpr {
  if (isConstInt(predicate, 1)) return predicate;
  const once = new Map<AnyVar, PrimExpr>(dropped.filter((l) => isConstInt(l.extent, 1)).map((l) => [l.loopVar, l.min]));
  const kept = conjuncts(substitute(predicate, once)).filter((p) => !usesVar(p, (v) => dropped.some((l) => l.loopVar === v)));
  return [...kept].reverse().reduce<PrimExpr>((acc, p) => and(acc, p), constant(1, "bool"));
}
