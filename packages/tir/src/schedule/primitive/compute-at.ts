import { parseDType } from "@verticil/runtime-ffi";
import { Analyzer } from "../../arith/analyzer.ts";
import { detectIterMap } from "../../arith/detect-iter-map.ts";
import { evalRegionSets, evalSet, relaxSet } from "../../arith/eval-set.ts";
import { coverRange, emptySet, intervalSet, intSetOfRange, intSetsOfRanges, unionSets, type IntSet } from "../../arith/int-set.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeFor, makeSeq, scopeOf } from "../../ir/make-stmt.ts";
import { add, and, constant, ge, isConstInt, lt, sub } from "../../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { conditionOnVars } from "../block-condition.ts";
import {
  analyzerFor,
  bindingsOf,
  consumersOf,
  loopDomain,
  producersOf,
  relaxedLoops,
  requireClosed,
  requireCompleteOrReduction,
  requireNotOutput,
  scopeRoot,
} from "../block-relations.ts";
import { blockVarDomains, type DomainInfo, type Regions } from "../block-var-domain.ts";
import { childBlocks, FuncTree, replaceStmts } from "../func-tree.ts";
import { withoutLeaf } from "../leaf-removal.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** Options of the two primitives that move a block under a loop. `index`: -1 as late as possible, -2 as early. */
export interface ComputeAtOptions {
  readonly preserveUnitLoops: boolean;
  readonly index: number;
}

/** A producer moved under a loop that holds all of its consumers, computing there only what they read. */
export function computeAt(tree: FuncTree, realize: BlockRealize, loop: For, opts: ComputeAtOptions): Outcome {
  return moveUnder(tree, realize, loop, opts, "compute");
}

/** A consumer moved under a loop that holds all of its producers, computing there only what they have made. */
export function reverseComputeAt(tree: FuncTree, realize: BlockRealize, loop: For, opts: ComputeAtOptions): Outcome {
  return moveUnder(tree, realize, loop, opts, "reverse");
}

function moveUnder(tree: FuncTree, realize: BlockRealize, loop: For, opts: ComputeAtOptions, way: "compute" | "reverse"): Outcome {
  const { block } = realize;
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  const analyzer = analyzerFor(tree);
  const producers = producersOf(tree, realize);
  const consumers = consumersOf(tree, realize);
  requireCompleteOrReduction(tree, realize, scope);
  requireClosed(tree, realize);
  if (tree.scopeOf(loop) !== scope) refuse(`block \`${block.name}\` and loop \`${loop.loopVar.name}\` are in different scopes`, [block, loop]);
  if (tree.contains(loop, realize)) refuse(`block \`${block.name}\` is under loop \`${loop.loopVar.name}\` already`, [block, loop]);
  for (const l of [...tree.loopsOf(loop), loop]) analyzer.bind(l.loopVar, makeRange(l.min, l.extent));
  if (way === "compute") requireNotOutput(tree, realize);
  const without = withoutLeaf(tree, realize);
  const items = loop.body.kind === "tir.SeqStmt" ? loop.body.seq : [loop.body];
  const at = insertionPoint(realize, loop, items, producers, consumers, opts.index, way);
  const provided = new Map<Buffer, Regions>();
  const required = new Map<Buffer, Regions>();
  for (const r of way === "compute" ? block.writes : block.reads) {
    provided.set(r.buffer, [...(provided.get(r.buffer) ?? []), evalRegionSets(r.region, new Map())]);
    required.set(r.buffer, []);
  }
  for (const b of way === "compute" ? consumers : producers) {
    for (const r of way === "compute" ? b.block.reads : b.block.writes) {
      const known = required.get(r.buffer);
      if (known !== undefined) required.set(r.buffer, [...known, way === "compute" ? wholeIfUnknown(relaxed(tree, b, r, loop, way), r.buffer) : relaxed(tree, b, r, loop, way)]);
    }
  }
  const domains = blockVarDomains(block.iterVars, provided, required, analyzer);
  requireOrder(tree, realize, loop, way === "compute" ? producers : consumers, way);
  if (way === "reverse") requireOnce(block, domains, [...tree.loopsOf(loop), loop]);
  if (way === "reverse") {
    const around = [...tree.loopsOf(loop), loop];
    requireAll(block, domains, around);
    requireProduced(block, provided, required, around);
  }
  const nest = makeNest(realize, domains, conditionOnVars(realize, tree.loopsOf(realize)), analyzer, opts.preserveUnitLoops);
  const target = new FuncTree(without).loops.get(loop.loopVar);
  if (target === undefined) throw new Error("internal: the target loop went with the block");
  const rest = target.body.kind === "tir.SeqStmt" ? target.body.seq : [target.body];
  const body = makeSeq([...rest.slice(0, at), nest, ...rest.slice(at)]);
  return { func: replaceStmts(without, new Map<Stmt, Stmt>([[target, { ...target, body }]])) };
}

function relaxed(tree: FuncTree, b: BlockRealize, region: BufferRegion, loop: For, way: "compute" | "reverse"): Regions[number] {
  const loops = way === "compute" ? relaxedLoops(tree, b, loop, scopeOf(region.buffer)) : loopDomain(tree, b, loop);
  return evalRegionSets(substitute(region, bindingsOf(b)).region, intSetsOfRanges(loops));
}

/** All of a dimension where it is not known what of it is needed: more may be computed, not less. */
function wholeIfUnknown(region: Regions[number], buffer: Buffer): Regions[number] {
  return region.map((s, i) => {
    const extent = buffer.shape[i];
    if (s.tag === "empty" || extent === undefined || (s.min !== undefined && s.max !== undefined)) return s;
    return intervalSet(s.min ?? constant(0, extent.dtype), s.max ?? sub(extent, 1));
  });
}

/** Refuses if a producer comes after the loop that the block moves to, or a consumer before it. */
function requireOrder(tree: FuncTree, realize: BlockRealize, loop: For, others: readonly BlockRealize[], way: "compute" | "reverse"): void {
  const order = [...tree.blocks.values()];
  const under = order.flatMap((b, i) => (tree.contains(loop, b) ? [i] : []));
  for (const other of others) {
    const at = order.indexOf(other);
    if (tree.contains(loop, other) || (way === "compute" ? at < Math.min(...under) : at > Math.max(...under))) continue;
    const what = way === "compute" ? "producer" : "consumer";
    refuse(`${what} \`${other.block.name}\` of block \`${realize.block.name}\` comes ${way === "compute" ? "after" : "before"} loop \`${loop.loopVar.name}\``, [other.block, loop]);
  }
}

/** Refuses a reduction that loops around it would add up more than once, a part of it in each of their iterations. */
function requireOnce(block: Block, domains: readonly DomainInfo[], loops: readonly For[]): void {
  if (block.init === undefined) return;
  const mins = domains.flatMap((d) => (d.dom.tag === "interval" && d.dom.min !== undefined ? [d.dom.min] : []));
  const isLoop = (v: AnyVar): boolean => loops.some((l) => l.loopVar === v);
  const split = block.iterVars.some((iv, i) => {
    const dom = domains[i]?.dom;
    return iv.iterType !== "kDataPar" && dom?.tag === "interval" && dom.min !== undefined && usesVar(dom.min, isLoop);
  });
  if (!split) return;
  // Each iteration must begin at another place.
  const ranges = new Map(loops.filter((l) => !isConstInt(l.extent, 1)).map((l) => [l.loopVar, makeRange(l.min, l.extent)] as const));
  if (detectIterMap(mins, ranges, { level: "bijective" }).errors.length === 0) return;
  const repeated = loops.find((l) => ranges.has(l.loopVar) && !mins.some((e) => usesVar(e, (v) => v === l.loopVar))) ?? loops.find((l) => ranges.has(l.loopVar));
  refuse(`block \`${block.name}\` would add up a part of its reduction in each iteration of loop \`${repeated?.loopVar.name ?? "?"}\``, [block, ...(repeated ? [repeated] : [])]);
}

/** Refuses if over all iterations of the loops a consumer would leave values of its variables out, as one that reads under a condition. */
function requireAll(block: Block, domains: readonly DomainInfo[], loops: readonly For[]): void {
  const dom = new Map<AnyVar, IntSet>(loops.map((l) => [l.loopVar, intSetOfRange(makeRange(l.min, l.extent))]));
  const analyzer = new Analyzer();
  block.iterVars.forEach((iv, i) => {
    const info = domains[i];
    if (iv.dom === undefined || info?.dom.tag !== "interval") return;
    const first = iv.dom.min;
    const last = sub(add(first, iv.dom.extent), 1);
    const low = info.dom.min && evalSet(info.dom.min, dom);
    const high = info.dom.max && evalSet(info.dom.max, dom);
    const lowest = [low?.tag === "interval" ? low.min : undefined, info.bound.tag === "interval" ? info.bound.min : undefined];
    const highest = [high?.tag === "interval" ? high.max : undefined, info.bound.tag === "interval" ? info.bound.max : undefined];
    const missesLow = lowest.some((e) => e !== undefined && analyzer.canProve(lt(first, e)));
    const missesHigh = highest.some((e) => e !== undefined && analyzer.canProve(lt(e, last)));
    if (missesLow || missesHigh) refuse(`block \`${block.name}\` goes over more of \`${iv.var.name}\` than its producers give`, block);
  });
}

/** Refuses if a consumer reads, at values of its variables together, what its producers do not write over all iterations of the loops. */
function requireProduced(block: Block, provided: ReadonlyMap<Buffer, Regions>, required: ReadonlyMap<Buffer, Regions>, loops: readonly For[]): void {
  const own = new Map<AnyVar, IntSet>(block.iterVars.flatMap((iv) => (iv.dom === undefined ? [] : [[iv.var, intSetOfRange(iv.dom)] as const])));
  const around = new Map<AnyVar, IntSet>(loops.map((l) => [l.loopVar, intSetOfRange(makeRange(l.min, l.extent))]));
  const analyzer = new Analyzer();
  for (const [buffer, regions] of provided) {
    for (const i of buffer.shape.keys()) {
      const ends = (of: Regions, dom: ReadonlyMap<AnyVar, IntSet>): IntSet => unionSets(of.map((r) => relaxSet(r[i] ?? emptySet, dom)), analyzer);
      const [read, written] = [ends(regions, own), ends(required.get(buffer) ?? [], around)];
      if (read.tag === "empty" || written.tag === "empty") continue;
      const below = read.min !== undefined && written.min !== undefined && analyzer.canProve(lt(read.min, written.min));
      const above = read.max !== undefined && written.max !== undefined && analyzer.canProve(lt(written.max, read.max));
      if (below || above) refuse(`block \`${block.name}\` reads more of \`${buffer.name}\` than its producers write`, block);
    }
  }
}

/** Between the last producer and the first consumer under the loop. */
function insertionPoint(
  realize: BlockRealize,
  loop: For,
  items: readonly Stmt[],
  producers: readonly BlockRealize[],
  consumers: readonly BlockRealize[],
  index: number,
  way: "compute" | "reverse",
): number {
  const blocks = items.map((s) => (s.kind === "tir.BlockRealize" ? [s] : childBlocks(s)));
  const holding = (list: readonly BlockRealize[]): number[] =>
    blocks.flatMap((bs, i) => (bs.some((b) => list.includes(b)) ? [i] : []));
  const needed = way === "compute" ? consumers : producers;
  const all = blocks.flat();
  const missing = needed.filter((b) => !all.includes(b));
  if (missing.length > 0) {
    const what = way === "compute" ? "consumers" : "producers";
    refuse(
      `${missing.length} of the ${what} of block \`${realize.block.name}\` are not under loop \`${loop.loopVar.name}\``,
      missing.map((b) => b.block),
      `Choose a loop that holds all ${what}.`,
    );
  }
  const earliest = Math.max(-1, ...holding(producers)) + 1;
  const latest = Math.min(items.length, ...holding(consumers));
  if (earliest > latest) refuse(`under loop \`${loop.loopVar.name}\` a consumer of block \`${realize.block.name}\` comes before a producer`, loop);
  if (index === -1) return latest;
  if (index === -2) return earliest;
  if (index < earliest || index > latest) refuse(`position ${index} is not between ${earliest} and ${latest}`, loop, "Use -1 for the last possible position, -2 for the first.");
  return index;
}

/** New loops around the block over the domains, with a predicate where they reach outside the bounds. */
function makeNest(realize: BlockRealize, domains: readonly DomainInfo[], condition: PrimExpr, analyzer: Analyzer, keepUnit: boolean): Stmt {
  const loops: { readonly v: ReturnType<typeof makeVar>; readonly extent: PrimExpr }[] = [];
  let predicate: PrimExpr = constant(1, "bool");
  const iterValues = realize.block.iterVars.map((iv, i): PrimExpr => {
    const whole = iv.dom ?? makeRange(constant(0, iv.var.dtype), constant(1, iv.var.dtype));
    const info = domains[i];
    const dom = info === undefined ? whole : coverRange(info.dom, whole, new Analyzer());
    let value = dom.min;
    if (keepUnit || !isConstInt(dom.extent, 1)) {
      const bits = Math.max(parseDType(dom.min.dtype).bits, parseDType(dom.extent.dtype).bits);
      const v = makeVar(`ax${loops.length}`, bits > 32 ? "int64" : "int32");
      loops.push({ v, extent: analyzer.simplify(dom.extent) });
      value = add(dom.min, v);
      analyzer.bind(v, makeRange(constant(0, v.dtype), dom.extent));
    }
    if (info?.bound.tag === "interval") {
      const { min, max } = info.bound;
      const conditions = [min && ge(value, min), max && lt(value, add(max, 1))];
      for (const c of conditions) if (c !== undefined && !analyzer.canProve(c, "symbolicBound")) predicate = and(predicate, c);
    }
    return value;
  });
  const values = new Map<AnyVar, PrimExpr>(realize.block.iterVars.map((iv, i) => [iv.var, iterValues[i] ?? iv.var]));
  const placed: BlockRealize = { ...realize, iterValues, predicate: analyzer.simplify(and(predicate, substitute(condition, values))) };
  return loops.reduceRight<Stmt>((body, { v, extent }) => makeFor(v, constant(0, "int32"), extent, body), placed);
}
