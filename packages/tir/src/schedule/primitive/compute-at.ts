import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { add, and, constant, isConstInt, lt, ge, sub } from "../../ir/ops.ts";
import type { BlockRealize, For, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { coefficientOf, collectSums, constantDifference, toLinear } from "../../analysis/linear-form.ts";
import { relaxRegion } from "../../analysis/block-access-region.ts";
import { hull, intervalOfRange, type Interval } from "../../analysis/symbolic-interval.ts";
import { consumersOf, producersOf, requireMovable, writtenBuffers } from "../block-relations.ts";
import { childBlocks, FuncTree, replaceStmts } from "../func-tree.ts";
import { boundsOf, boundsOfLoops, simplifyIndex } from "../index-simplify.ts";
import { refuse } from "../schedule-error.ts";

/** Options of the two primitives that move a block under a loop. `index`: -1 as late as possible, -2 as early. */
export interface ComputeAtOptions {
  readonly preserveUnitLoops: boolean;
  readonly index: number;
}

/** A producer moved under a loop of its consumers, computing there only what they read. */
export function computeAt(tree: FuncTree, realize: BlockRealize, loop: For, opts: ComputeAtOptions): PrimFunc {
  requireSite(tree, realize, loop);
  const consumers = consumersOf(tree, realize);
  if (consumers.length === 0) refuse(`block \`${realize.block.name}\` has no consumers in its scope`, realize.block);
  const outside = consumers.find((c) => !tree.contains(loop, c));
  if (outside !== undefined) {
    refuse(`consumer \`${outside.block.name}\` is not under loop \`${loop.loopVar.name}\``, outside.block, "Choose a loop that holds all consumers.");
  }
  if (isOutput(tree, realize)) refuse(`block \`${realize.block.name}\` writes an output of its scope`, realize.block);
  const written = writtenBuffers(realize.block);
  const required = touched(tree, consumers, loop, (r) => r.block.reads, written);
  const domains = solveDomains(realize, realize.block.writes, required);
  const items = bodyItems(loop);
  const users = items.map((s, i) => (childBlocksOf(s).some((b) => consumers.includes(b)) ? i : -1)).filter((i) => i >= 0);
  const makers = producersOf(tree, realize);
  const after = items.map((s, i) => (childBlocksOf(s).some((b) => makers.includes(b)) ? i : -1)).filter((i) => i >= 0);
  const latest = Math.min(...users);
  const earliest = after.length === 0 ? 0 : Math.max(...after) + 1;
  return move(tree, realize, loop, domains, position(opts.index, earliest, latest), opts);
}

/** A consumer moved under a loop of its producers, computing there only what they have made. */
export function reverseComputeAt(tree: FuncTree, realize: BlockRealize, loop: For, opts: ComputeAtOptions): PrimFunc {
  requireSite(tree, realize, loop);
  const producers = producersOf(tree, realize);
  const inside = producers.filter((p) => tree.contains(loop, p));
  if (inside.length === 0) {
    refuse(`no producer of block \`${realize.block.name}\` is under loop \`${loop.loopVar.name}\``, realize.block);
  }
  const made = new Set(inside.flatMap((p) => writtenBuffers(p.block)));
  const provided = touched(tree, inside, loop, (r) => r.block.writes, [...made]);
  const domains = solveDomains(realize, realize.block.reads.filter((r) => made.has(r.buffer)), provided);
  const items = bodyItems(loop);
  const makers = items.map((s, i) => (childBlocksOf(s).some((b) => inside.includes(b)) ? i : -1)).filter((i) => i >= 0);
  const readers = consumersOf(tree, realize);
  const users = items.map((s, i) => (childBlocksOf(s).some((b) => readers.includes(b)) ? i : -1)).filter((i) => i >= 0);
  const earliest = Math.max(...makers) + 1;
  const latest = users.length === 0 ? items.length : Math.min(...users);
  return move(tree, realize, loop, domains, position(opts.index, earliest, latest), opts);
}

function position(index: number, earliest: number, latest: number): number {
  if (latest < earliest) return refuse("its consumers come before its producers under the loop");
  if (index === -1) return latest;
  if (index === -2) return earliest;
  if (index < earliest || index > latest) return refuse(`position ${index} is not between ${earliest} and ${latest}`);
  return index;
}

function bodyItems(loop: For): readonly Stmt[] {
  return loop.body.kind === "tir.SeqStmt" ? loop.body.seq : [loop.body];
}

function childBlocksOf(s: Stmt): readonly BlockRealize[] {
  return s.kind === "tir.BlockRealize" ? [s] : childBlocks(s);
}

function isOutput(tree: FuncTree, realize: BlockRealize): boolean {
  const scope = tree.scopeOf(realize);
  return scope !== undefined && writtenBuffers(realize.block).some((w) => !scope.block.allocBuffers.includes(w));
}

function requireSite(tree: FuncTree, realize: BlockRealize, loop: For): void {
  if (tree.contains(loop, realize)) refuse(`block \`${realize.block.name}\` is under loop \`${loop.loopVar.name}\` already`, realize.block);
  if (tree.scopeOf(realize) !== tree.scopeOf(loop)) refuse("block and loop are in different scopes", loop);
  requireMovable(tree, realize);
}

/** What blocks under `loop` touch of some buffers, during one iteration of it. */
function touched(
  tree: FuncTree,
  blocks: readonly BlockRealize[],
  loop: For,
  regionsOf: (r: BlockRealize) => readonly BufferRegion[],
  buffers: readonly Buffer[],
): ReadonlyMap<Buffer, readonly Interval[]> {
  const out = new Map<Buffer, readonly Interval[]>();
  for (const realize of blocks) {
    const dom = new Map<AnyVar, Interval>();
    const chain = tree.ancestors(realize);
    for (const s of chain.slice(0, chain.indexOf(loop))) {
      if (s.kind === "tir.For") dom.set(s.loopVar, intervalOfRange({ kind: "tir.Range", min: s.min, extent: s.extent }));
    }
    const bindings = bindingsOf(realize);
    for (const r of regionsOf(realize)) {
      if (!buffers.includes(r.buffer)) continue;
      const dims = relaxRegion(substitute(r, bindings), dom).region.map(intervalOfRange);
      const known = out.get(r.buffer);
      out.set(r.buffer, known === undefined ? dims : known.map((k, i) => hull(k, dims[i] ?? k)));
    }
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

/**
 * The values of each iteration variable that a region of the buffers calls for. Solved where an index is one variable
 * plus a constant; other variables run over all their domain.
 */
function solveDomains(
  realize: BlockRealize,
  provided: readonly BufferRegion[],
  required: ReadonlyMap<Buffer, readonly Interval[]>,
): ReadonlyMap<Var, Interval> {
  const out = new Map<Var, Interval>();
  const vars = new Set(realize.block.iterVars.map((iv) => iv.var));
  for (const r of provided) {
    const needed = required.get(r.buffer);
    if (needed === undefined) continue;
    r.region.forEach((range, i) => {
      const need = needed[i];
      if (need === undefined || !isConstInt(range.extent, 1)) return;
      const form = toLinear(range.min);
      const [term] = form.terms;
      if (form.terms.length !== 1 || term === undefined || term.coeff !== 1 || term.atom.kind !== "tir.Var" || !vars.has(term.atom)) return;
      if (coefficientOf(form, term.atom) !== 1) return;
      const shift = constant(form.offset, range.min.dtype);
      const interval = { min: collectSums(sub(need.min, shift)), max: collectSums(sub(need.max, shift)) };
      const known = out.get(term.atom);
      out.set(term.atom, known === undefined ? interval : hull(known, interval));
    });
  }
  return out;
}

function move(
  tree: FuncTree,
  realize: BlockRealize,
  loop: For,
  domains: ReadonlyMap<Var, Interval>,
  index: number,
  opts: ComputeAtOptions,
): PrimFunc {
  const around = [...tree.loopsOf(loop), loop];
  const nest = makeNest(realize, domains, around, opts.preserveUnitLoops);
  const without = replaceStmts(tree.func, new Map<Stmt, Stmt | undefined>([[realize, undefined]]));
  const target = new FuncTree(without).loops.get(loop.loopVar);
  if (target === undefined) return refuse("the loop held nothing but the block", loop);
  const items = bodyItems(target);
  const body = makeSeq([...items.slice(0, index), nest, ...items.slice(index)]);
  return replaceStmts(without, new Map([[target, { ...target, body }]]));
}

/** New loops around a block, over the part of its domain that is called for. */
function makeNest(realize: BlockRealize, domains: ReadonlyMap<Var, Interval>, around: readonly For[], keepUnit: boolean): Stmt {
  const loops: For[] = [];
  const bounds = boundsOfLoops(around);
  let predicate: PrimExpr = constant(1, "bool");
  const values = realize.block.iterVars.map((iv): PrimExpr => {
    const dom = iv.dom;
    if (dom === undefined) return refuse(`\`${iv.var.name}\` has no domain`, iv);
    const whole = intervalOfRange(dom);
    const part = clip(domains.get(iv.var) ?? whole, whole);
    const extent = collectSums(add(sub(part.max, part.min), 1));
    if (isConstInt(extent, 1) && !keepUnit) {
      predicate = and(predicate, guard(part.min, part, whole, bounds));
      return part.min;
    }
    const v = makeVar(`ax${loops.length}`, iv.var.dtype);
    const l = makeFor(v, constant(0, iv.var.dtype), extent, realize);
    loops.push(l);
    for (const [key, value] of boundsOfLoops([l])) bounds.set(key, value);
    const value = simplifyIndex(add(part.min, v), bounds);
    predicate = and(predicate, guard(value, part, whole, bounds));
    return value;
  });
  const placed: BlockRealize = { ...realize, iterValues: values, predicate };
  return loops.reduceRight<Stmt>((body, l) => ({ ...l, body }), placed);
}

/** The part, or all where the part is known to hold all of it. */
function clip(part: Interval, whole: Interval): Interval {
  const below = constantDifference(part.min, whole.min);
  const above = constantDifference(whole.max, part.max);
  return {
    min: below !== undefined && below < 0 ? whole.min : part.min,
    max: above !== undefined && above < 0 ? whole.max : part.max,
  };
}

/** The condition that a value is in the domain, as far as the bounds do not show it. */
function guard(value: PrimExpr, part: Interval, whole: Interval, bounds: ReturnType<typeof boundsOfLoops>): PrimExpr {
  const over = slack(whole.max, part.max) ?? boundsOf(sub(whole.max, value), bounds)?.[0];
  const under = slack(part.min, whole.min) ?? boundsOf(sub(value, whole.min), bounds)?.[0];
  let out: PrimExpr = constant(1, "bool");
  if (under === undefined || under < 0) out = and(out, ge(value, whole.min));
  if (over === undefined || over < 0) out = and(out, lt(value, collectSums(add(whole.max, 1))));
  return out;
}

/** `a - b` where it is a constant that shows that nothing is amiss. */
function slack(a: PrimExpr, b: PrimExpr): number | undefined {
  const d = constantDifference(a, b);
  return d !== undefined && d >= 0 ? d : undefined;
}
