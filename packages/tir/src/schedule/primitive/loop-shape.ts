import type { AnyVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeBlockRealize, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { add, and, asInt, ceilDiv, constant, floorDiv, floorMod, isConstInt, lt, mul } from "../../ir/ops.ts";
import type { BlockRealize, For, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { mapStmtChildren } from "../../ir/map-children.ts";
import { renewDefs, substitute } from "../../ir/substitute.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { collectSums } from "../../analysis/linear-form.ts";
import { childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import { boundsOfLoops, simplifyIndex } from "../index-simplify.ts";
import { refuse } from "../schedule-error.ts";

/** What a primitive makes: the new function, and the variables of new loops in the order of its results. */
export interface LoopResult {
  readonly func: PrimFunc;
  readonly loops: readonly Var[];
}

/** Binding values and predicates inside `s` in short form, given the loops around and inside it. */
export function simplifyBindings(s: Stmt, around: readonly For[]): Stmt {
  const loops = new Map(around.map((l) => [l.loopVar, l]));
  const visit = (x: Stmt): Stmt => {
    if (x.kind === "tir.For") loops.set(x.loopVar, x);
    if (x.kind === "tir.BlockRealize") {
      const bounds = boundsOfLoops(loops.values());
      const iterValues = x.iterValues.map((v) => simplifyIndex(v, bounds));
      return makeBlockRealize(iterValues, simplifyIndex(x.predicate, bounds), x.block, x.span);
    }
    return mapStmtChildren(x, { expr: (e) => e, stmt: visit });
  };
  return visit(s);
}

/** Adds a condition to the outermost blocks inside `s`. */
export function appendPredicate(s: Stmt, predicate: PrimExpr): Stmt {
  const visit = (x: Stmt): Stmt => {
    if (x.kind !== "tir.BlockRealize") return mapStmtChildren(x, { expr: (e) => e, stmt: visit });
    return { ...x, predicate: and(x.predicate, predicate) };
  };
  return visit(s);
}

/** The loop split into a nest with the given extents, of which one may be undefined: it takes what is left. */
export function splitLoop(
  tree: FuncTree,
  loop: For,
  factors: readonly (PrimExpr | undefined)[],
  opts: { readonly preserveUnitIters: boolean; readonly disablePredication: boolean },
): LoopResult {
  requirePlain(loop);
  if (!isConstInt(loop.min, 0)) refuse(`loop \`${loop.loopVar.name}\` does not start at 0`, loop);
  if (factors.length === 0) refuse("no factors were given", loop, "Give at least one factor.");
  const dtype = loop.loopVar.dtype;
  const known = factors.filter((f) => f !== undefined).reduce<PrimExpr>((p, f) => mul(p, f), constant(1, dtype));
  const open = factors.filter((f) => f === undefined).length;
  if (open > 1) refuse("more than one factor is left open", loop, "Leave at most one factor undefined.");
  for (const f of factors) {
    const n = f && asInt(f);
    if (n !== undefined && n <= 0) refuse(`a factor is ${n}`, loop, "Factors are positive.");
  }
  const inferred = ceilDiv(loop.extent, known);
  const extents = factors.map((f) => f ?? inferred);
  const product = extents.reduce((p, f) => mul(p, f));
  const covers = asInt(product);
  const n = asInt(loop.extent);
  if (covers !== undefined && n !== undefined && covers < n) {
    refuse(`the factors cover ${covers} of ${n} iterations`, loop, "Leave one factor undefined, or give larger ones.");
  }
  const vars = extents.map((_, i) => makeVar(`${loop.loopVar.name}_${i}`, dtype));
  let value: PrimExpr = constant(0, dtype);
  extents.forEach((extent, i) => {
    const v = vars[i];
    if (v === undefined || (!opts.preserveUnitIters && isConstInt(extent, 1))) return;
    value = add(mul(value, extent), v);
  });
  value = collectSums(value);
  const exact = opts.disablePredication || (covers !== undefined && n !== undefined && covers === n);
  let body = substitute(loop.body, new Map<AnyVar, PrimExpr>([[loop.loopVar, value]]));
  if (!exact) body = appendPredicate(body, lt(value, loop.extent));
  for (let i = extents.length - 1; i >= 0; i--) {
    const v = vars[i];
    const extent = extents[i];
    if (v === undefined || extent === undefined) continue;
    body = makeFor(v, constant(0, dtype), extent, body, i === 0 ? { annotations: loop.annotations, forKind: loop.forKind, threadBinding: loop.threadBinding } : {});
  }
  const simplified = simplifyBindings(body, tree.loopsOf(loop));
  return { func: replaceStmts(tree.func, new Map([[loop, simplified]])), loops: vars };
}

/** Nested loops made one. */
export function fuseLoops(tree: FuncTree, loops: readonly For[], preserveUnitIters: boolean): LoopResult {
  const [first] = loops;
  const last = loops[loops.length - 1];
  if (first === undefined || last === undefined) return refuse("no loops were given");
  loops.forEach((l, i) => {
    requirePlain(l);
    if (!isConstInt(l.min, 0)) refuse(`loop \`${l.loopVar.name}\` does not start at 0`, l);
    const outer = loops[i - 1];
    if (outer !== undefined && outer.body !== l) {
      refuse(`loop \`${l.loopVar.name}\` is not all there is in loop \`${outer.loopVar.name}\``, l, "List nested loops, outermost first.");
    }
    for (const o of loops.slice(0, i)) {
      if (usesVar(l.extent, o.loopVar)) refuse(`the extent of \`${l.loopVar.name}\` depends on \`${o.loopVar.name}\``, l);
    }
  });
  const dtype = first.loopVar.dtype;
  const fused = makeVar(`${loops.map((l) => l.loopVar.name).join("_")}_fused`, dtype);
  const values = new Map<AnyVar, PrimExpr>();
  let rest: PrimExpr = fused;
  for (let i = loops.length - 1; i >= 0; i--) {
    const l = loops[i];
    if (l === undefined) continue;
    const isFirst = i === 0 || (!preserveUnitIters && loops.slice(0, i).every((o) => isConstInt(o.extent, 1)));
    if (!preserveUnitIters && isConstInt(l.extent, 1)) values.set(l.loopVar, constant(0, dtype));
    else values.set(l.loopVar, isFirst ? rest : floorMod(rest, l.extent));
    rest = floorDiv(rest, l.extent);
  }
  const extent = loops.map((l) => l.extent).reduce((p, e) => mul(p, e));
  const body = substitute(last.body, values);
  const loop = makeFor(fused, constant(0, dtype), collectSums(extent), body, { annotations: first.annotations });
  const simplified = simplifyBindings(loop, tree.loopsOf(first));
  return { func: replaceStmts(tree.func, new Map([[first, simplified]])), loops: [fused] };
}

/** Loops of one nest put in the given order; loops between them that are not listed stay where they are. */
export function reorderLoops(tree: FuncTree, loops: readonly For[]): PrimFunc {
  const listed = new Set(loops);
  if (listed.size !== loops.length) refuse("a loop is listed twice");
  const deepest = loops.find((l) => loops.every((o) => tree.contains(o, l)));
  if (deepest === undefined) return refuse("the loops are not in one nest", loops[0], "List loops of which each holds or is held by the others.");
  const chain: For[] = [];
  for (let s: Stmt | undefined = deepest; s?.kind === "tir.For"; s = tree.parent(s)) {
    chain.unshift(s);
    const [top] = chain;
    if (top !== undefined && loops.every((l) => chain.includes(l))) break;
  }
  const missing = loops.find((l) => !chain.includes(l));
  if (missing !== undefined) {
    refuse(`between \`${missing.loopVar.name}\` and \`${deepest.loopVar.name}\` is more than loops`, missing, "Only perfectly nested loops can be reordered.");
  }
  requireReorderable(tree, deepest);
  const order = [...loops];
  const reordered = chain.map((l) => (listed.has(l) ? (order.shift() ?? l) : l));
  reordered.forEach((l, i) => {
    for (const inner of reordered.slice(i + 1)) {
      if (usesVar(l.extent, inner.loopVar) || usesVar(l.min, inner.loopVar)) {
        refuse(`the bounds of \`${l.loopVar.name}\` depend on \`${inner.loopVar.name}\`, which would be inside it`, l);
      }
    }
  });
  const [top] = chain;
  if (top === undefined) return tree.func;
  const nest = reordered.reduceRight<Stmt>((body, l) => ({ ...l, body }), deepest.body);
  return replaceStmts(tree.func, new Map([[top, nest]]));
}

function requireReorderable(tree: FuncTree, deepest: For): void {
  for (const realize of childBlocks(deepest)) {
    for (const iv of realize.block.iterVars) {
      if (iv.iterType !== "kDataPar" && iv.iterType !== "kCommReduce") {
        refuse(`block \`${realize.block.name}\` has the iteration variable \`${iv.var.name}\`, which must run in order`, realize.block);
      }
    }
  }
  void tree;
}

/** Loops beside each other, made one loop of all their bodies; same extents needed. */
export function mergeLoops(tree: FuncTree, loops: readonly For[]): LoopResult {
  const [first] = loops;
  if (first === undefined || loops.length < 2) return refuse("at least two loops are needed", first);
  const nests = loops.map((l) => nestUpTo(tree, l));
  const common = nests[0]?.parent;
  if (common?.kind !== "tir.SeqStmt" || nests.some((n) => n.parent !== common)) {
    return refuse("the loops are not in one sequence", first, "Merge loops whose outermost loops stand side by side.");
  }
  const depth = nests[0]?.loops.length ?? 0;
  if (nests.some((n) => n.loops.length !== depth)) return refuse("the loops are at different depths", first);
  const lead = nests[0]?.loops ?? [];
  nests.forEach((n) => n.loops.forEach((l, i) => {
    const own = lead[i];
    if (own !== undefined && asInt(own.extent) !== asInt(l.extent)) refuse(`the extents of \`${own.loopVar.name}\` and \`${l.loopVar.name}\` differ`, l);
  }));
  const fresh = lead.map((l) => makeVar(`${l.loopVar.name}_m`, l.loopVar.dtype));
  const bodies = nests.map((n) => {
    const values = new Map<AnyVar, PrimExpr>();
    n.loops.forEach((l, i) => {
      const v = fresh[i];
      if (v !== undefined) values.set(l.loopVar, v);
    });
    return substitute(n.loops[n.loops.length - 1]?.body ?? first.body, values);
  });
  const merged = lead.reduceRight<Stmt>((body, l, i) => makeFor(fresh[i] ?? l.loopVar, l.min, l.extent, body), makeSeq(bodies));
  const replacements = new Map<Stmt, Stmt | undefined>(nests.map((n) => [n.top, undefined]));
  const lastTop = nests[nests.length - 1]?.top;
  if (lastTop) replacements.set(lastTop, merged);
  const inner = fresh[fresh.length - 1];
  return { func: replaceStmts(tree.func, replacements), loops: inner ? [inner] : [] };
}

function nestUpTo(tree: FuncTree, loop: For): { readonly top: For; readonly loops: readonly For[]; readonly parent: Stmt | undefined } {
  const loops = [loop];
  let parent = tree.parent(loop);
  let top = loop;
  while (parent?.kind === "tir.For") {
    loops.unshift(parent);
    top = parent;
    parent = tree.parent(parent);
  }
  return { top, loops, parent };
}

/** A loop of one iteration around a loop or a block. */
export function addUnitLoop(tree: FuncTree, inside: For | BlockRealize): LoopResult {
  const dtype = inside.kind === "tir.For" ? inside.loopVar.dtype : (inside.iterValues[0]?.dtype ?? "int32");
  const v = makeVar("u", dtype);
  const loop = makeFor(v, constant(0, dtype), constant(1, dtype), inside);
  return { func: replaceStmts(tree.func, new Map([[inside, loop]])), loops: [v] };
}

/**
 * The loop cut into consecutive loops at the given points, `factors` being the lengths of the parts but one that may be
 * undefined. Every part has its own copy of the blocks inside, named `<block>_<loop>_<part>_partition`.
 */
export function partitionLoop(
  tree: FuncTree,
  loop: For,
  factors: readonly (number | undefined)[],
  preserveUnitIters: boolean,
): LoopResult {
  requirePlain(loop);
  const n = asInt(loop.extent);
  const start = asInt(loop.min);
  if (n === undefined || start === undefined) return refuse(`the bounds of \`${loop.loopVar.name}\` are not constant`, loop);
  const given = factors.reduce<number>((sum, f) => sum + (f ?? 0), 0);
  const openParts = factors.filter((f) => f === undefined).length;
  if (openParts > 1) return refuse("more than one part is left open", loop);
  const lengths = factors.map((f) => f ?? n - given);
  if (openParts === 0 && given < n) lengths.push(n - given);
  if (lengths.some((l) => l <= 0) || lengths.reduce((a, b) => a + b, 0) !== n) {
    return refuse(`the parts ${lengths.join(", ")} do not make up ${n} iterations`, loop);
  }
  const dtype = loop.loopVar.dtype;
  const vars: Var[] = [];
  let from = start;
  const parts = lengths.map((length, i) => {
    const v = makeVar(`${loop.loopVar.name}_${i}`, dtype);
    vars.push(v);
    const unit = length === 1 && !preserveUnitIters;
    const value = unit ? constant(from, dtype) : add(v, constant(from, dtype));
    const copy = renameBlocks(renewDefs(substitute(loop.body, new Map<AnyVar, PrimExpr>([[loop.loopVar, value]]))), (name) => `${name}_${loop.loopVar.name}_${i}_partition`);
    from += length;
    return makeFor(v, constant(0, dtype), constant(length, dtype), copy, { annotations: loop.annotations });
  });
  const simplified = simplifyBindings(makeSeq(parts), tree.loopsOf(loop));
  return { func: replaceStmts(tree.func, new Map([[loop, simplified]])), loops: vars };
}

/** The outermost blocks inside `s` under other names. */
export function renameBlocks(s: Stmt, rename: (name: string) => string): Stmt {
  const visit = (x: Stmt): Stmt => {
    if (x.kind === "tir.BlockRealize") return { ...x, block: { ...x.block, name: rename(x.block.name) } };
    return mapStmtChildren(x, { expr: (e) => e, stmt: visit });
  };
  return visit(s);
}

function requirePlain(loop: For): void {
  if (loop.forKind === "thread_binding") refuse(`loop \`${loop.loopVar.name}\` is bound to a thread`, loop, "Change the loop before it is bound.");
}
