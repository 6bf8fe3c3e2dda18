import { Analyzer, conjuncts } from "../../arith/analyzer.ts";
import { detectIterMap } from "../../arith/detect-iter-map.ts";
import { sideEffect } from "../../analysis/side-effect.ts";
import type { BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../../ir/expr.ts";
import { makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { add, and, constant, isConst, isConstInt, sub } from "../../ir/ops.ts";
import type { BlockRealize, BufferStore, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { bindingsOf, requireComplete, scopeRoot } from "../block-relations.ts";
import { blockKey, replaceIn, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** A padding block taken apart: what it writes inside the bounds, where that is, and what outside of them. */
interface Padding {
  readonly store: BufferStore;
  readonly value: PrimExpr;
  readonly padValue: PrimExpr;
  /** In terms of the loops. */
  readonly inside: PrimExpr;
  /** For each block variable where the condition holds. */
  readonly region: readonly Range[];
}

/**
 * A block that stores `if_then_else(inside, value, constant)` split in two: `<name>_pad_const` fills all with the
 * constant before `loop`, and the block copies only what is inside. Gives the former.
 */
export function decomposePadding(tree: FuncTree, realize: BlockRealize, loop: For): Outcome {
  const { block } = realize;
  const scope = scopeRoot(tree, realize);
  requireComplete(realize, scope);
  const loops = [...tree.loopsOf(realize)].reverse();
  const at = loops.indexOf(loop);
  if (at < 0) return refuse(`loop \`${loop.loopVar.name}\` is not around block \`${block.name}\``, [loop, block]);
  const analyzer = new Analyzer();
  const domains = new Map<AnyVar, Range>();
  for (const l of loops) {
    const range = makeRange(l.min, l.extent);
    domains.set(l.loopVar, range);
    analyzer.bind(l.loopVar, range);
  }
  const padding = matchPadding(realize, domains, analyzer);
  const filled = fillNest(realize, padding, loops.slice(0, at + 1), analyzer);
  // The loops from the block up that hold nothing else can be shortened.
  const branches = loops.findIndex((l) => l.body.kind !== "tir.For" && l.body.kind !== "tir.BlockRealize");
  const alone = branches < 0 || branches > at ? loops.slice(0, at + 1) : loops.slice(0, branches);
  const top = alone[alone.length - 1];
  if (top === undefined) return refuse(`the innermost loop of block \`${block.name}\` holds more than the block`, block);
  const copied = copyNest(realize, padding, alone, analyzer);
  const rest = top === loop ? copied.nest : (replaceIn(loop, new Map<Stmt, Stmt>([[top, copied.nest]])) ?? loop);
  return {
    func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[loop, makeSeq([filled.nest, rest])]])),
    blocks: [blockKey(filled.realize.block)],
    rekeyed: new Map([[blockKey(block), blockKey(copied.realize.block)]]),
  };
}

function matchPadding(realize: BlockRealize, domains: ReadonlyMap<AnyVar, Range>, analyzer: Analyzer): Padding {
  const { block } = realize;
  const bad = (why: string): never => refuse(`block \`${block.name}\` does not pad: ${why}`, block, "It must store `if_then_else(inside, value, constant)`.");
  const store = block.body;
  if (store.kind !== "tir.BufferStore") return bad("its body is not a single store");
  const call = store.value;
  if (call.kind !== "tir.Call" || call.op.kind !== "ir.Op" || call.op.name !== "tir.if_then_else") return bad("what it stores is not conditional");
  const [condition, value, padValue] = call.args;
  if (condition === undefined || value === undefined || padValue === undefined) return bad("what it stores is not conditional");
  if (!isConst(padValue)) return bad("the value outside is not a constant");
  const effect = sideEffect(value);
  if (effect !== "pure" && effect !== "read") return bad("the value inside has side effects");
  const predicate = and(substitute(condition, bindingsOf(realize)), realize.predicate);
  const inside = analyzer.simplify(conjuncts(predicate).map(withoutLikely).reduce<PrimExpr>((acc, c) => and(acc, c), constant(1, "bool")));
  if (isConstInt(inside, 1)) return bad("everything is inside");
  const found = detectIterMap(realize.iterValues, domains, { predicate: inside, level: "surjective", analyzer });
  if (found.indices.length === 0) return bad("the condition does not bound its variables one by one");
  const region = found.indices.map((sum) => {
    const [split] = sum.args;
    if (split === undefined) return makeRange(sum.base, constant(1, sum.base.dtype));
    if (!analyzer.canProveEqual(split.scale, constant(1, split.scale.dtype))) return bad("a variable goes in strides");
    return makeRange(sum.base, split.extent);
  });
  return { store, value, padValue, inside, region };
}

function withoutLikely(e: PrimExpr): PrimExpr {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.likely" ? (e.args[0] ?? e) : e;
}

interface Nest {
  readonly nest: Stmt;
  readonly realize: BlockRealize;
}

function fillNest(realize: BlockRealize, padding: Padding, loops: readonly For[], analyzer: Analyzer): Nest {
  const { block } = realize;
  const values = new Map<AnyVar, PrimExpr>();
  const iterVars = block.iterVars.map((iv) => {
    const own = makeVar(iv.var.name, iv.var.dtype);
    values.set(iv.var, own);
    return makeIterVar(iv.dom, own, "kDataPar");
  });
  const fresh = loops.map((l): Var => {
    const own = makeVar(l.loopVar.name, l.loopVar.dtype);
    values.set(l.loopVar, own);
    return own;
  });
  const rewrite = (e: PrimExpr): PrimExpr => analyzer.simplify(substitute(e, values));
  const writes = block.writes.slice(0, 1).map((w) => mapRegion(w, rewrite));
  const store = { ...padding.store, value: padding.padValue, indices: padding.store.indices.map(rewrite) };
  const filled = makeBlock(`${block.name}_pad_const`, iterVars, [], writes, store);
  const placed = makeBlockRealize(realize.iterValues.map(rewrite), rewrite(realize.predicate), filled);
  const nest = loops.reduce<Stmt>((s, l, i) => makeFor(fresh[i] ?? l.loopVar, l.min, l.extent, s), placed);
  return { nest, realize: placed };
}

function mapRegion(r: BufferRegion, f: (e: PrimExpr) => PrimExpr): BufferRegion {
  return makeBufferRegion(r.buffer, r.region.map((d) => makeRange(f(d.min), f(d.extent))));
}

function copyNest(realize: BlockRealize, padding: Padding, loops: readonly For[], analyzer: Analyzer): Nest {
  const { block } = realize;
  const values = new Map<AnyVar, PrimExpr>();
  const ranges = new Map<AnyVar, Range>(loops.map((l) => [l.loopVar, makeRange(l.min, l.extent)]));
  const bindings: PrimExpr[] = [];
  const iterVars = block.iterVars.map((iv, i) => {
    const r = padding.region[i];
    const value = realize.iterValues[i];
    if (r === undefined || value === undefined) throw new Error("internal: a block variable without a value");
    const own = makeVar(iv.var.name, iv.var.dtype);
    const range = makeRange(constant(0, own.dtype), r.extent);
    values.set(iv.var, add(own, r.min));
    if (value.kind === "tir.Var" && ranges.has(value)) {
      // The loop itself is shortened, which needs no predicate.
      ranges.set(value, range);
      bindings.push(value);
      values.set(value, add(value, r.min));
      analyzer.bind(value, range, { override: true });
    } else bindings.push(analyzer.simplify(sub(value, r.min)));
    return makeIterVar(range, own, "kDataPar");
  });
  const rewrite = (e: PrimExpr): PrimExpr => analyzer.simplify(substitute(e, values));
  const store = { ...padding.store, value: rewrite(padding.value), indices: padding.store.indices.map(rewrite) };
  const copied = makeBlock(block.name, iterVars, block.reads.map((r) => mapRegion(r, rewrite)), block.writes.map((r) => mapRegion(r, rewrite)), store);
  const placed = makeBlockRealize(bindings, rewrite(padding.inside), copied);
  const nest = loops.reduce<Stmt>((s, l) => {
    const range = ranges.get(l.loopVar) ?? makeRange(l.min, l.extent);
    return { ...l, min: range.min, extent: range.extent, body: s };
  }, placed);
  return { nest, realize: placed };
}
