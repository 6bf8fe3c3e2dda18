import { Analyzer } from "../arith/analyzer.ts";
import { detectIterMap } from "../arith/detect-iter-map.ts";
import { estimateRegionStrictBound, estimateRegionUpperBound } from "../arith/estimate-region.ts";
import { emptySet, intersectSets, intSetOfExtent, unionLowerBound, unionRegions, type IntSet } from "../arith/int-set.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import type { Block, BlockRealize, For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { usesVar } from "../ir/free-vars.ts";
import { and, asInt, constant, isConstInt, le, sub } from "../ir/ops.ts";
import { substitute } from "../ir/substitute.ts";
import { scopeOf as storageScopeOf } from "../ir/make-stmt.ts";
import { childBlocks, stmtChildren, type FuncTree } from "./func-tree.ts";
import { areApart } from "./regions-apart.ts";
import { refuse } from "./schedule-error.ts";

/** The buffers a block writes. */
export function writtenBuffers(block: Block): readonly Buffer[] {
  return [...new Set(block.writes.map((r) => r.buffer))];
}

/** The blocks side by side in the scope of a block, itself included, in order. */
export function scopeBlocks(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const scope = tree.scopeOf(realize);
  return scope === undefined ? [realize] : childBlocks(scope);
}

/** The scope block of a block or loop. Refuses for the root block. */
export function scopeRoot(tree: FuncTree, s: BlockRealize | For, opts: { readonly stagePipeline?: boolean } = {}): BlockRealize {
  const scope = tree.scopeOf(s);
  if (scope === undefined) return refuse("the primitive does not work on the root block", s.kind === "tir.For" ? s : s.block);
  if (opts.stagePipeline === true && !isStagePipeline(tree, scope)) {
    return refuse(
      `the scope \`${scope.block.name}\` is not a stage pipeline`,
      scope.block,
      "In a stage pipeline each block reads only what earlier blocks of the scope have written in full, and nothing is written after it was read.",
    );
  }
  return scope;
}

/** The blocks of the same scope whose results this one reads or overwrites, in order of first use. */
export function producersOf(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const all = scopeBlocks(tree, realize);
  const before = all.slice(0, all.indexOf(realize));
  const out = new Set<BlockRealize>();
  for (const r of realize.block.reads) {
    for (const b of before) if (b.block.writes.some((w) => w.buffer === r.buffer)) out.add(b);
  }
  for (const b of before) if (overwrites(b, realize)) out.add(b);
  return [...out];
}

/** The blocks of the same scope that read or overwrite what this one writes, in order. */
export function consumersOf(tree: FuncTree, realize: BlockRealize): readonly BlockRealize[] {
  const all = scopeBlocks(tree, realize);
  const after = all.slice(all.indexOf(realize) + 1);
  const written = new Set(writtenBuffers(realize.block));
  return after.filter((b) => b.block.reads.some((r) => written.has(r.buffer)) || overwrites(realize, b));
}

/** True if both blocks write one buffer, and are not known to write different elements. */
function overwrites(first: BlockRealize, second: BlockRealize): boolean {
  const a = first.block;
  const b = second.block;
  return a.writes.some((x) => b.writes.some((y) => x.buffer === y.buffer && !areApart(a, x, b, y)));
}

/** The blocks inside a block, at any depth, that write to memory which the block around them does not allocate. */
export function outputBlocks(tree: FuncTree, scope: BlockRealize): readonly BlockRealize[] {
  return childBlocks(scope).flatMap((b) => [...(isOutputBlock(tree, b) ? [b] : []), ...outputBlocks(tree, b)]);
}

/** True if the block writes to memory that the block around it does not allocate. */
export function isOutputBlock(tree: FuncTree, realize: BlockRealize): boolean {
  const inside = tree.scopeOf(realize)?.block.allocBuffers ?? [];
  return realize.block.writes.some((w) => !inside.includes(w.buffer));
}

/** Refuses for a block that writes an output of its scope. */
export function requireNotOutput(tree: FuncTree, realize: BlockRealize): void {
  if (isOutputBlock(tree, realize)) refuse(`block \`${realize.block.name}\` writes an output of its scope`, realize.block);
}

// ---- loops and bindings

/** The domains of the loops above a statement, up to a loop or block that is left out (the scope block if not given). */
export function loopDomain(tree: FuncTree, s: Stmt, above?: Stmt): Map<AnyVar, Range> {
  const out = new Map<AnyVar, Range>();
  for (let p = tree.parent(s); p !== undefined && p !== above && p.kind !== "tir.Block"; p = tree.parent(p)) {
    if (p.kind === "tir.For") out.set(p.loopVar, makeRange(p.min, p.extent));
  }
  return out;
}

/** The values of a block's variables at its place. */
export function bindingsOf(realize: BlockRealize): Map<AnyVar, PrimExpr> {
  const out = new Map<AnyVar, PrimExpr>();
  realize.block.iterVars.forEach((iv, i) => {
    const value = realize.iterValues[i];
    if (value !== undefined) out.set(iv.var, value);
  });
  return out;
}

/** True if the bindings of a block are quasi-affine in loops with the given domains and do not repeat. */
export function isAffineBinding(realize: BlockRealize, loops: ReadonlyMap<AnyVar, Range>, analyzer: Analyzer = new Analyzer()): boolean {
  if (loops.size === 0) return true;
  const { indices } = detectIterMap(realize.iterValues, loops, {
    predicate: realize.predicate,
    level: "surjective",
    analyzer,
    simplifyTrivial: false,
  });
  // A block without variables counts as not affine under loops, as upstream has it.
  if (indices.length === 0) return false;
  return indices.every((sum) => sum.args[0] === undefined || isConstInt(sum.args[0].scale, 1));
}

const affine = new WeakMap<FuncTree, Map<BlockRealize, boolean>>();

/** True if the block's bindings are affine in all loops of its scope. The root block's are if it has no variables. */
export function hasAffineBinding(tree: FuncTree, realize: BlockRealize): boolean {
  let known = affine.get(tree);
  if (known === undefined) affine.set(tree, (known = new Map()));
  let result = known.get(realize);
  if (result === undefined) {
    const root = tree.scopeOf(realize) === undefined;
    result = root ? realize.block.iterVars.length === 0 : isAffineBinding(realize, loopDomain(tree, realize), analyzerFor(tree));
    known.set(realize, result);
  }
  return result;
}

/** An analyzer that knows that the sizes of the function's buffers are not negative. */
export function analyzerFor(tree: FuncTree): Analyzer {
  const analyzer = new Analyzer();
  for (const b of tree.func.bufferMap.values()) {
    for (const d of b.shape) if (d.kind === "tir.Var" || d.kind === "tir.SizeVar") markNonNegative(analyzer, d);
  }
  return analyzer;
}

function markNonNegative(analyzer: Analyzer, v: AnyVar): void {
  const { min, max } = analyzer.constIntBound(v);
  if (min < 0) analyzer.bindBound(v, { min: 0, max });
}

/** Refuses if the bindings are not affine in the loops of the scope, nor in those below `above`. */
export function requireAffineBinding(tree: FuncTree, realize: BlockRealize, above?: Stmt): void {
  if (hasAffineBinding(tree, realize)) return;
  if (above !== undefined && isAffineBinding(realize, loopDomain(tree, realize, above), analyzerFor(tree))) return;
  refuse(`the bindings of block \`${realize.block.name}\` are not affine`, realize.block, "Each binding must be a split or fusion of loops, and no part of a loop may be used twice.");
}

/**
 * Refuses if iterations of the loops from `loop` on share an instance of a reduction, as those of a window do: each of them
 * began with the init, which would run but once.
 */
export function requireOnce(tree: FuncTree, realize: BlockRealize, loop: For): void {
  const loops = loopDomain(tree, realize, tree.parent(loop));
  const { errors } = detectIterMap(realize.iterValues, loops, { predicate: realize.predicate, level: "bijective", analyzer: analyzerFor(tree) });
  if (errors.length === 0) return;
  refuse(`instances of block \`${realize.block.name}\` may run more than once under loop \`${loop.loopVar.name}\`, and would add up each time`, [realize.block, loop], "Choose a loop under which each binding is made of loops of its own.");
}

/** Refuses a block that uses the loops around it beyond what binds its variables: at another place they would not be there. */
export function requireClosed(tree: FuncTree, realize: BlockRealize, loops: readonly For[] = tree.loopsOf(realize)): void {
  const { block } = realize;
  const used = loops.find((l) => usesVar(block, l.loopVar));
  if (used !== undefined) refuse(`block \`${block.name}\` uses loop \`${used.loopVar.name}\` itself, not a variable that is bound to it`, [block, used], "Do this before the layout is changed.");
}

// ---- complete and reduction blocks

/** True if no other block under `root` (a scope block, or a loop) writes elements that this one writes. */
function isDominant(root: BlockRealize | For, realize: BlockRealize): boolean {
  const { block } = realize;
  // Under a loop the blocks inside of each child count, each child by itself.
  const groups = root.kind === "tir.BlockRealize" ? [childBlocks(root)] : childBlocks(root).map(childBlocks);
  return block.writes.every((own) => {
    const group = groups.find((blocks) => blocks.some((b) => b.block.writes.some((w) => w.buffer === own.buffer))) ?? [];
    const writers = group.flatMap((b) => b.block.writes.filter((w) => !(b === realize && w === own) && !areApart(block, own, b.block, w)));
    return group.includes(realize) ? writers.length === 0 : writers.length <= 1;
  });
}

/** Why a block is not complete under `root`: the number of the broken condition; 0 if it is. */
function incompleteness(root: BlockRealize | For, realize: BlockRealize): number {
  const { block } = realize;
  if (block.iterVars.some((iv) => iv.iterType !== "kDataPar")) return 1;
  if (!isDominant(root, realize)) return 2;
  const written = new Set(writtenBuffers(block));
  return block.reads.some((r) => written.has(r.buffer)) ? 3 : 0;
}

/** True if the block is not complete under a scope block. */
export function incompleteUnder(root: BlockRealize, realize: BlockRealize): boolean {
  return incompleteness(root, realize) !== 0;
}

/** Why a block is not a reduction under `root`: the number of the broken condition; 0 if it is. */
function nonReduction(tree: FuncTree, root: BlockRealize | For, realize: BlockRealize): number {
  const { block } = realize;
  if (block.init === undefined) return 1;
  if (!hasAffineBinding(tree, realize)) return 2;
  if (!onlySpatialAndReduction(block)) return 3;
  if (!isDominant(root, realize)) return 4;
  return indexesWithReduction(block) ? 5 : 0;
}

/** True if the block's variables are all spatial or reductions. */
export function onlySpatialAndReduction(block: Block): boolean {
  return block.iterVars.every((iv) => iv.iterType === "kDataPar" || iv.iterType === "kCommReduce");
}

/** True if a store in the block's body or init has a reduction variable in its indices. */
export function indexesWithReduction(block: Block): boolean {
  const reduction = new Set<AnyVar>(block.iterVars.filter((iv) => iv.iterType === "kCommReduce").map((iv) => iv.var));
  const written = new Set(writtenBuffers(block));
  let found = false;
  const visit = (s: Stmt): void => {
    if (s.kind === "tir.BufferStore" && written.has(s.buffer) && s.indices.some((i) => usesVar(i, (v) => reduction.has(v)))) found = true;
    else stmtChildren(s).forEach(visit);
  };
  visit(block.body);
  return found;
}

const conditions: Readonly<Record<string, string>> = {
  c1: "it has variables that are not spatial",
  c2: "another block of the scope writes its output",
  c3: "it reads what it writes",
  r1: "it has no init",
  r2: "its bindings are not affine",
  r3: "it has variables that are neither spatial nor reductions",
  r4: "another block of the scope writes its output",
  r5: "reduction variables are in the indices it writes",
};

export function requireComplete(realize: BlockRealize, root: BlockRealize): void {
  const code = incompleteness(root, realize);
  if (code !== 0) refuse(`block \`${realize.block.name}\` is not complete: ${conditions[`c${code}`]}`, realize.block);
}

export function requireReduction(tree: FuncTree, realize: BlockRealize, root: BlockRealize): void {
  const code = nonReduction(tree, root, realize);
  if (code !== 0) refuse(`block \`${realize.block.name}\` is not a reduction: ${conditions[`r${code}`]}`, realize.block);
}

/** Refuses unless the block is complete or a reduction under `root`. */
export function requireCompleteOrReduction(tree: FuncTree, realize: BlockRealize, root: BlockRealize | For): void {
  const c = incompleteness(root, realize);
  if (c === 0) return;
  const r = nonReduction(tree, root, realize);
  if (r === 0) return;
  refuse(
    `block \`${realize.block.name}\` is neither complete (${conditions[`c${c}`]}) nor a reduction (${conditions[`r${r}`]})`,
    realize.block,
  );
}

/** Refuses unless each block directly under a scope or loop is complete or a reduction there. */
export function requireCompactDataflow(tree: FuncTree, root: BlockRealize | For): void {
  for (const b of childBlocks(root)) requireCompleteOrReduction(tree, b, root);
}

// ---- stage pipelines

const pipelines = new WeakMap<FuncTree, Map<BlockRealize, boolean>>();

/** True if each block of the scope reads only what earlier ones have written in full, and nothing is written after it was read. */
export function isStagePipeline(tree: FuncTree, scope: BlockRealize): boolean {
  let known = pipelines.get(tree);
  if (known === undefined) pipelines.set(tree, (known = new Map()));
  let result = known.get(scope);
  if (result === undefined) known.set(scope, (result = findStagePipeline(tree, scope)));
  return result;
}

function findStagePipeline(tree: FuncTree, scope: BlockRealize): boolean {
  const blocks = childBlocks(scope);
  const readBefore = new Set<Buffer>();
  for (const b of blocks) {
    // A write after a read of another block; a block that reads and writes one buffer does not wait for itself.
    if (b.block.writes.some((w) => readBefore.has(w.buffer))) return false;
    for (const r of b.block.reads) readBefore.add(r.buffer);
  }
  return blocks.every((b) => isRegionCovered(tree, scope, b));
}

const covered = new WeakMap<FuncTree, Map<BlockRealize, boolean>>();

/** True if what a block of the scope reads is in what earlier blocks of the scope are known to write by then. */
export function isRegionCovered(tree: FuncTree, scope: BlockRealize, realize: BlockRealize): boolean {
  let known = covered.get(tree);
  if (known === undefined) covered.set(tree, (known = new Map()));
  let result = known.get(realize);
  if (result === undefined) {
    const blocks = childBlocks(scope);
    known.set(realize, (result = isCovered(tree, scope, realize, blocks.slice(0, blocks.indexOf(realize)))));
  }
  return result;
}

/** True if what a block reads is in what earlier blocks of the scope are known to write by then. */
function isCovered(tree: FuncTree, scope: BlockRealize, consumer: BlockRealize, earlier: readonly BlockRealize[]): boolean {
  const producers = earlier.filter((p) => p.block.writes.some((w) => consumer.block.reads.some((r) => r.buffer === w.buffer)));
  if (producers.length === 0) return true;
  // A primitive changes one nest: what stands in others is the same nodes, of which the answer is known.
  const place = [consumer, ...producers].flatMap((b): readonly Stmt[] => [b, ...tree.ancestors(b).filter((s) => s.kind === "tir.For")]);
  const last = answers.get(consumer);
  if (last !== undefined && last.place.length === place.length && last.place.every((s, i) => s === place[i])) return last.covered;
  const result = isWritten(tree, scope, consumer, producers);
  answers.set(consumer, { place, covered: result });
  return result;
}

/** What was found of a block where it and its producers stood. */
const answers = new WeakMap<BlockRealize, { readonly place: readonly Stmt[]; readonly covered: boolean }>();

/** True if what a block reads of its producers' buffers they are known to write. */
function isWritten(tree: FuncTree, scope: BlockRealize, consumer: BlockRealize, producers: readonly BlockRealize[]): boolean {
  const chain: readonly Stmt[] = [consumer, ...tree.ancestors(consumer)];
  const byPlace = new Map<Stmt, BlockRealize[]>();
  for (const p of producers) {
    const lca = [p as Stmt, ...tree.ancestors(p)].find((s) => chain.includes(s) && (s.kind === "tir.For" || s.kind === "tir.Block"));
    const place = lca ?? scope.block;
    byPlace.set(place, [...(byPlace.get(place) ?? []), p]);
  }
  const analyzer = analyzerFor(tree);
  for (const l of tree.loops.values()) analyzer.bind(l.loopVar, makeRange(l.min, l.extent));
  for (const [lca, list] of byPlace) {
    for (const read of consumer.block.reads) {
      if (list.some((p) => p.block.writes.some((w) => w.buffer === read.buffer && writesWhole(tree, p, w, lca)))) continue;
      const produced = list.flatMap((p) =>
        p.block.writes.filter((w) => w.buffer === read.buffer).map((w) => lowerBound(tree, p, w, lca, analyzer)),
      );
      if (produced.length === 0) continue;
      const have = unionRegions(produced, analyzer, unionLowerBound);
      const want = upperBound(tree, consumer, read, lca, analyzer);
      if (!covers(read.buffer, have, want, analyzer)) return false;
    }
  }
  return true;
}

/**
 * True if a block plainly writes a whole buffer: each index is a loop of its own over the dimension. So stand most
 * blocks before they are tiled, and no more has to be found out about them.
 */
function writesWhole(tree: FuncTree, realize: BlockRealize, { buffer, region }: BufferRegion, lca: Stmt): boolean {
  if (!alwaysRuns(realize)) return false;
  const values = bindingsOf(realize);
  const loops = relaxedLoops(tree, realize, lca, storageScopeOf(buffer));
  return region.every(({ min, extent }, i) => {
    const size = buffer.shape[i];
    const known = size && asInt(size);
    if (known === undefined) return false;
    if (isConstInt(min, 0) && isConstInt(extent, known)) return true;
    if (!isConstInt(extent, 1) || !isVar(min)) return false;
    const value = values.get(min);
    if (value === undefined || !isVar(value)) return known === 1 && value !== undefined && isConstInt(value, 0);
    const range = loops.get(value);
    // Two indices that share a loop write a diagonal.
    loops.delete(value);
    return range !== undefined && isConstInt(range.min, 0) && isConstInt(range.extent, known);
  });
}

function isVar(e: PrimExpr): e is AnyVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}

/** The loops between a block and `lca`, and those above whose threads share memory of a storage scope. */
export function relaxedLoops(tree: FuncTree, realize: BlockRealize, lca: Stmt, scope: string): Map<AnyVar, Range> {
  const out = loopDomain(tree, realize, lca);
  for (const p of tree.ancestors(realize)) {
    if (p.kind !== "tir.For" || p.forKind !== "thread_binding") continue;
    if (isSharedAmong(scope, p.threadBinding?.threadTag ?? "")) out.set(p.loopVar, makeRange(p.min, p.extent));
  }
  return out;
}

/** True if threads of an axis see each other's writes to a storage scope. */
export function isSharedAmong(scope: string, threadTag: string): boolean {
  const thread = threadTag.startsWith("threadIdx") || threadTag.startsWith("vthread") || threadTag === "cthread";
  if (scope.startsWith("shared")) return thread;
  if (scope.startsWith("warp")) return threadTag === "threadIdx.x";
  return false;
}

function lowerBound(tree: FuncTree, realize: BlockRealize, region: BufferRegion, lca: Stmt, analyzer: Analyzer): readonly IntSet[] {
  const { region: ranges } = substitute(region, bindingsOf(realize));
  const found = estimateRegionStrictBound(ranges, relaxedLoops(tree, realize, lca, storageScopeOf(region.buffer)), { predicate: realize.predicate, analyzer });
  return found ?? region.region.map(() => emptySet);
}

function upperBound(tree: FuncTree, realize: BlockRealize, region: BufferRegion, lca: Stmt, analyzer: Analyzer): readonly IntSet[] {
  const { region: ranges } = substitute(region, bindingsOf(realize));
  return estimateRegionUpperBound(ranges, relaxedLoops(tree, realize, lca, storageScopeOf(region.buffer)), { predicate: realize.predicate, analyzer });
}

function covers(buffer: Buffer, have: readonly IntSet[], want: readonly IntSet[], analyzer: Analyzer): boolean {
  return buffer.shape.every((extent, i) => {
    const whole = intSetOfExtent(constant(0, extent.dtype), extent);
    const a = have[i] ?? emptySet;
    const b = want[i] ?? emptySet;
    if (a.tag === "empty") return false;
    if (b.tag === "empty") return true;
    const p = intersectSets([a, whole], analyzer);
    const c = intersectSets([b, whole], analyzer);
    if (c.tag === "empty") return true;
    if (p.tag === "empty" || p.min === undefined || p.max === undefined || c.min === undefined || c.max === undefined) return false;
    const below = analyzer.simplify(sub(p.min, c.min));
    const above = analyzer.simplify(sub(c.max, p.max));
    return analyzer.canProve(and(le(below, constant(0, below.dtype)), le(above, constant(0, above.dtype))));
  });
}

// ---- small questions

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
