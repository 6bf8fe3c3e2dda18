import { applyReducer, matchReducer, type MatchedReducer } from "../../analysis/commutative-reducer.ts";
import { reductionParts, type ReductionParts } from "../../analysis/reduction-parts.ts";
import { Analyzer, conjuncts } from "../../arith/analyzer.ts";
import { evalSet } from "../../arith/eval-set.ts";
import { intSetsOfRanges } from "../../arith/int-set.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVar, IterVarType, PrimExpr, Var } from "../../ir/expr.ts";
import { undefinedVars, usesVar } from "../../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeBufferStore, makeLetStmt, makeSeq } from "../../ir/make-stmt.ts";
import { mapSubStmts } from "../../ir/map-children.ts";
import { allOf, constant, isConstInt, lt } from "../../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { excessOf } from "../block-condition.ts";
import { requireReduction, scopeRoot } from "../block-relations.ts";
import { pointsOf } from "../cache-stage.ts";
import { blockKey, childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * A reduction over `loop` split in two: the block `<name>_rf` keeps a partial result for each iteration of it in a buffer
 * with a new axis at `factorAxis`, which the block then reduces. Gives the former.
 */
export function rfactor(tree: FuncTree, loop: For, factorAxis: number): Outcome {
  const children = childBlocks(loop);
  const [realize] = children;
  if (realize === undefined || children.length !== 1) return refuse(`loop \`${loop.loopVar.name}\` holds ${children.length} blocks`, loop, "Choose a loop over exactly one block.");
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  requireReduction(tree, realize, scope);
  if (loop.forKind !== "serial") refuse(`loop \`${loop.loopVar.name}\` is ${loop.forKind}`, loop, "Choose a serial loop.");
  const loops = tree.loopsOf(realize);
  const reductionLoops = requireLoopRoles(realize, loops, loop);
  const { identities, updates } = reductionOf(realize.block);
  const reducer = matchReducer(identities, updates);
  const [first] = updates;
  if (reducer === undefined || first === undefined) return refuse(`the reduction of block \`${realize.block.name}\` is not a known one`, realize.block, "Known are sums, products, minima, maxima and arg-minima and -maxima.");
  const axis = normalizeAxis(factorAxis, first.buffer.shape.length, realize.block);
  const buffers = updates.map((u) => partialBuffer(u.buffer, axis, loop.extent));
  const partial = partialBlock(realize, loop, loops, updates, reducer, buffers, axis);
  const gone = loops.filter((l) => l !== loop && reductionLoops.has(l.loopVar));
  const rest = finalBlock(realize, loop, updates, reducer, buffers, partial, conditionWithout(realize, gone, loops));
  const body = replaceReduction(scope.block, realize, rest, loopNest(partial.realize, loops), loops, loop, reductionLoops);
  const block = { ...scope.block, body, allocBuffers: [...scope.block.allocBuffers, ...buffers] };
  return {
    func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope.block, block]])),
    blocks: [blockKey(partial.realize.block)],
    rekeyed: new Map([[blockKey(realize.block), blockKey(rest.block)]]),
  };
}

/** Checks what the loops around the block do; gives the variables of those that drive reductions. */
function requireLoopRoles(realize: BlockRealize, loops: readonly For[], factored: For): ReadonlySet<AnyVar> {
  const uses = (type: IterVarType): Set<AnyVar> =>
    new Set(realize.iterValues.flatMap((v, i) => (realize.block.iterVars[i]?.iterType === type ? undefinedVars(v) : [])));
  const spatial = uses("kDataPar");
  const reduction = uses("kCommReduce");
  const [outermost] = loops;
  if (outermost === undefined) return refuse("the block has no loops", realize.block);
  if (childBlocks(outermost)[0] !== realize) refuse(`block \`${realize.block.name}\` is not the first in loop \`${outermost.loopVar.name}\``, outermost);
  let below = false;
  for (const l of loops) {
    const inSpatial = spatial.has(l.loopVar);
    const inReduction = reduction.has(l.loopVar);
    if (inSpatial && inReduction) refuse(`loop \`${l.loopVar.name}\` drives both spatial and reduction variables`, l);
    if (inSpatial && l === factored) refuse(`loop \`${l.loopVar.name}\` drives a spatial variable`, l, "Choose a reduction loop.");
    if (!inReduction && l === factored && !isConstInt(l.extent, 1)) refuse(`loop \`${l.loopVar.name}\` drives no reduction variable`, l, "Choose a reduction loop: one that repeats the whole reduction has no part of it.");
    if (inReduction && !below) {
      if (childBlocks(l).length !== 1) refuse(`loop \`${l.loopVar.name}\` holds more than the block`, l);
      below = true;
    } else if (!inSpatial && !inReduction && below && !isConstInt(l.extent, 1)) {
      refuse(`loop \`${l.loopVar.name}\` under a reduction loop drives nothing`, l);
    }
  }
  return reduction;
}

function normalizeAxis(axis: number, dims: number, at: Block): number {
  if (axis < -(dims + 1) || axis > dims) refuse(`the factor axis ${axis} is not between ${-(dims + 1)} and ${dims}`, at);
  return axis < 0 ? axis + dims + 1 : axis;
}

function reductionOf(block: Block): ReductionParts {
  return reductionParts(block, (why) => refuse(`block \`${block.name}\` ${why}`, block, "A reduction has one store for each buffer in its init and in its body."));
}

function partialBuffer(buffer: Buffer, axis: number, extent: PrimExpr): Buffer {
  const shape = [...buffer.shape.slice(0, axis), extent, ...buffer.shape.slice(axis)];
  const name = `${buffer.name}.rf`;
  return { ...buffer, name, shape, data: { ...buffer.data, name: `${buffer.data.name}.rf` } };
}

function iterOf(l: For, iterType: IterVarType): IterVar {
  return makeIterVar(makeRange(l.min, l.extent), makeVar(`v${l.loopVar.name}`, l.loopVar.dtype), iterType);
}

interface Partial {
  readonly realize: BlockRealize;
  /** The variable of the factored loop, and where the block keeps its results. */
  readonly extra: IterVar;
  readonly indices: readonly PrimExpr[];
}

function partialBlock(
  realize: BlockRealize,
  factored: For,
  loops: readonly For[],
  updates: readonly BufferStore[],
  matched: MatchedReducer,
  buffers: readonly Buffer[],
  axis: number,
): Partial {
  const { block } = realize;
  const extra = iterOf(factored, "kDataPar");
  const iterVars: IterVar[] = [extra];
  const iterValues: PrimExpr[] = [factored.loopVar];
  const byLoop = new Map<AnyVar, PrimExpr>([[factored.loopVar, extra.var]]);
  const values = new Map<AnyVar, PrimExpr>();
  block.iterVars.forEach((iv, i) => {
    const value = realize.iterValues[i];
    if (value === undefined) return;
    if (iv.iterType === "kDataPar" || !usesVar(value, factored.loopVar)) {
      iterVars.push(iv);
      iterValues.push(value);
      return;
    }
    for (const v of undefinedVars(value)) {
      const l = loops.find((x) => x.loopVar === v);
      if (l === undefined || byLoop.has(v)) continue;
      const own = iterOf(l, "kCommReduce");
      byLoop.set(v, own.var);
      iterVars.push(own);
      iterValues.push(v);
    }
    values.set(iv.var, substitute(value, byLoop));
  });
  const [lead] = updates;
  const indices = lead === undefined ? [] : [...lead.indices.slice(0, axis), extra.var, ...lead.indices.slice(axis)];
  const lhs = buffers.map((b) => makeBufferLoad(b, indices));
  const { body, init } = reductionBody(iterVars, matched, buffers, buffers.map(() => indices), lhs, matched.rhs);
  const point = makeRange(extra.var, constant(1, extra.var.dtype));
  const writes = block.writes.map((w): BufferRegion => {
    const at = updates.findIndex((u) => u.buffer === w.buffer);
    const region = [...w.region.slice(0, axis), point, ...w.region.slice(axis)];
    return substitute(makeBufferRegion(buffers[at] ?? w.buffer, region), values);
  });
  const made = makeBlock(`${block.name}_rf`, iterVars, block.reads.map((r) => substitute(r, values)), writes, substitute(body, values), {
    init: init && substitute(init, values),
    annotations: block.annotations,
  });
  return { realize: makeBlockRealize(iterValues, realize.predicate, made), extra, indices };
}

function finalBlock(
  realize: BlockRealize,
  factored: For,
  updates: readonly BufferStore[],
  matched: MatchedReducer,
  buffers: readonly Buffer[],
  partial: Partial,
  predicate: PrimExpr,
): BlockRealize {
  const { block } = realize;
  const extra = iterOf(factored, "kCommReduce");
  const values = new Map<AnyVar, PrimExpr>([[partial.extra.var, extra.var]]);
  const iterVars: IterVar[] = [extra];
  const iterValues: PrimExpr[] = [factored.loopVar];
  block.iterVars.forEach((iv, i) => {
    const value = realize.iterValues[i];
    if (iv.iterType !== "kDataPar" || value === undefined) return;
    const own = makeVar(iv.var.name, iv.var.dtype);
    values.set(iv.var, own);
    iterVars.push(makeIterVar(iv.dom, own, "kDataPar"));
    iterValues.push(value);
  });
  const rhs = buffers.map((b) => substitute(makeBufferLoad(b, partial.indices), values));
  const lhs = matched.lhs.map((e) => substitute(e, values));
  const { body, init } = reductionBody(iterVars, matched, updates.map((u) => u.buffer), updates.map((u) => u.indices), lhs, rhs);
  const regions = (loads: readonly PrimExpr[]): BufferRegion[] => loads.flatMap((e) => (e.kind === "tir.BufferLoad" ? [pointsOf(e.buffer, e.indices)] : []));
  const made = makeBlock(block.name, iterVars, regions(rhs), regions(lhs), substitute(body, values), {
    init: init && substitute(init, values),
    annotations: block.annotations,
  });
  return makeBlockRealize(iterValues, predicate, made);
}

/** Where a block runs for some iteration of the loops `gone`: elsewhere it has made no partial result. */
function conditionWithout(realize: BlockRealize, gone: readonly For[], loops: readonly For[]): PrimExpr {
  const dom = intSetsOfRanges(new Map(gone.map((l) => [l.loopVar, makeRange(l.min, l.extent)])));
  const analyzer = new Analyzer();
  for (const l of loops) analyzer.bind(l.loopVar, makeRange(l.min, l.extent));
  const kept = conjuncts(realize.predicate).map((c) => {
    if (!usesVar(c, (v) => gone.some((l) => l.loopVar === v))) return c;
    const excess = excessOf(c);
    const least = excess && evalSet(excess, dom);
    if (least?.tag !== "interval" || least.min === undefined) return refuse(`the condition of block \`${realize.block.name}\` cannot be told without its reduction loops`, [c, realize.block]);
    return analyzer.simplify(lt(least.min, 0));
  });
  return allOf(kept);
}

/** The stores of a reduction step, values bound first if there are several; without reduction variables just what is reduced. */
function reductionBody(
  iterVars: readonly IterVar[],
  { reducer }: MatchedReducer,
  buffers: readonly Buffer[],
  indices: readonly (readonly PrimExpr[])[],
  lhs: readonly PrimExpr[],
  rhs: readonly PrimExpr[],
): { readonly body: Stmt; readonly init: Stmt | undefined } {
  const store = (values: readonly PrimExpr[]): Stmt => makeSeq(buffers.map((b, i) => makeBufferStore(b, values[i] ?? constant(0, b.dtype), indices[i] ?? [])));
  if (!iterVars.some((iv) => iv.iterType === "kCommReduce")) return { body: store(rhs), init: undefined };
  const values = applyReducer(reducer, lhs, rhs);
  const init = store(reducer.identityElement);
  if (buffers.length === 1) return { body: store(values), init };
  const vars = values.map((v, i) => makeVar(`v_${buffers[i]?.name ?? ""}`, v.dtype));
  const body = vars.reduceRight<Stmt>((s, v, i) => makeLetStmt(v, values[i] ?? v, s), store(vars));
  return { body, init };
}

/** The loops of the old block, new ones, around the block of the partial results. */
function loopNest(realize: BlockRealize, loops: readonly For[]): Stmt {
  const fresh = new Map<AnyVar, Var>(loops.map((l) => [l.loopVar, makeVar(l.loopVar.name, l.loopVar.dtype)]));
  const placed = makeBlockRealize(
    realize.iterValues.map((v) => substitute(v, fresh)),
    substitute(realize.predicate, fresh),
    realize.block,
  );
  const nest = (body: Stmt, l: For): Stmt => ({ ...l, loopVar: fresh.get(l.loopVar) ?? l.loopVar, min: substitute(l.min, fresh), extent: substitute(l.extent, fresh), body });
  return loops.reduceRight<Stmt>(nest, placed);
}

/** The partial block before the outermost loop; inside it the block in its new form, without the reduction loops that it no longer has. */
function replaceReduction(
  scope: Block,
  old: BlockRealize,
  rest: BlockRealize,
  partial: Stmt,
  loops: readonly For[],
  factored: For,
  reduction: ReadonlySet<AnyVar>,
): Stmt {
  const visit = (s: Stmt): Stmt => {
    if (s === old) return rest;
    if (s.kind === "tir.BlockRealize") return s;
    if (s.kind !== "tir.For" || !loops.includes(s)) return mapSubStmts(s, visit);
    const body = visit(s.body);
    const kept = s === factored || !reduction.has(s.loopVar) ? { ...s, body } : body;
    return s === loops[0] ? makeSeq([partial, kept]) : kept;
  };
  return visit(scope.body);
}
