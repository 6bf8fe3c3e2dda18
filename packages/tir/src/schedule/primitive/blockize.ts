import { Analyzer, conjuncts } from "../../arith/analyzer.ts";
import { evalRegionSets } from "../../arith/eval-set.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { coverRange, intSetOfRange, unionSets, type IntSet } from "../../arith/int-set.ts";
import { normalizeIterMapToExpr } from "../../arith/iter-map-to-expr.ts";
import { dtypeOfMapped, isIterMap, type IterMark } from "../../arith/iter-map.ts";
import { subspaceDivide } from "../../arith/subspace-divide.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range, Var } from "../../ir/expr.ts";
import { undefinedVars, usesVar } from "../../ir/free-vars.ts";
import { makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { mapBuffer, mapExprChildren, mapStmtChildren } from "../../ir/map-children.ts";
import { add, allOf, constant, isConstInt, mul, sub } from "../../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { requireClosed, requireOnce, scopeRoot } from "../block-relations.ts";
import { blockKey, childBlocks, replaceStmts, type BlockKey, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { initPredicate } from "./decompose-reduction.ts";

/** The subtree of a loop, which holds one block, made a block `<name>_o` around it. */
export function blockizeLoop(tree: FuncTree, loop: For, preserveUnitIters: boolean): Outcome {
  const { realize, inner } = blockizeUnder(tree, loop, preserveUnitIters);
  return {
    func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[loop, realize]])),
    blocks: [blockKey(realize.block)],
    rekeyed: new Map([inner]),
  };
}

/** What `blockizeLoop` puts in place of the loop, and the old and new key of the block inside. */
export function blockizeUnder(
  tree: FuncTree,
  loop: For,
  preserveUnitIters: boolean,
): { readonly realize: BlockRealize; readonly inner: readonly [BlockKey, BlockKey] } {
  const children = childBlocks(loop);
  const [realize] = children;
  if (realize === undefined || children.length !== 1) return refuse(`loop \`${loop.loopVar.name}\` holds ${children.length} blocks`, loop, "Blockizing a loop needs exactly one.");
  scopeRoot(tree, loop);
  const { block } = realize;
  const loops = tree.loopsOf(realize);
  const insideLoops = loops.slice(loops.indexOf(loop));
  const analyzer = new Analyzer();
  const division = divide(realize, loops, insideLoops, analyzer, preserveUnitIters);
  requireClosed(tree, realize, insideLoops);
  if (block.init !== undefined) requireOnce(tree, realize, loop);
  const parts = derive(block.iterVars, division, preserveUnitIters, undefined);
  const dom = bindInner(parts.inner, analyzer, new Map());
  const body = substituteSimplified(block, parts.values, analyzer);
  const overReduction = body.init !== undefined && parts.outer.some((p) => p.iterVar.iterType === "kCommReduce");
  const innerRealize = innerOf(body, parts, division.innerPredicate, overReduction);
  const nest = insideLoops.reduceRight<Stmt>((s, l) => ({ ...l, body: s }), innerRealize);
  const outer = makeBlock(
    `${body.name}_o`,
    parts.outer.map((p) => p.iterVar),
    relax(body.reads, dom),
    relax(body.writes, dom),
    nest,
    { init: body.init && outerInit(body.init, innerRealize, insideLoops, `${body.name}_init`) },
  );
  return {
    realize: makeBlockRealize(parts.outer.map((p) => p.value), division.outerPredicate, outer),
    inner: [blockKey(block), blockKey(innerRealize.block)],
  };
}

/** Blocks beside each other under one loop made one block `outer_<names>_` that holds them. */
export function blockizeBlocks(tree: FuncTree, realizes: readonly BlockRealize[], preserveUnitIters: boolean): Outcome {
  const [first] = realizes;
  if (first === undefined) return refuse("no blocks were given");
  const chains = realizes.map((r) => tree.ancestors(r));
  const lca = chains[0]?.find((s) => (s.kind === "tir.For" || s.kind === "tir.Block") && chains.every((c) => c.includes(s)));
  if (lca?.kind !== "tir.For" && lca?.kind !== "tir.Block") return refuse("the blocks have no common parent", realizes.map((r) => r.block));
  const analyzer = new Analyzer();
  let outer: readonly Part[] | undefined;
  let outerPredicate: PrimExpr = constant(1, "bool");
  const reads: BufferRegion[] = [];
  const writes: BufferRegion[] = [];
  const nests: Stmt[] = [];
  const rekeyed = new Map<BlockKey, BlockKey>();
  const loopValues = new Map<AnyVar, PrimExpr>();
  for (const realize of realizes) {
    const loops = tree.loopsOf(realize);
    const insideLoops = loops.filter((l) => l !== lca && tree.contains(lca, l));
    const division = divide(realize, loops, insideLoops, analyzer, preserveUnitIters);
    if (outer !== undefined && !exprDeepEqual(outerPredicate, division.outerPredicate)) refuse("the blocks run under different conditions", [first.block, realize.block]);
    outerPredicate = division.outerPredicate;
    const parts = derive(realize.block.iterVars, division, preserveUnitIters, outer);
    outer = parts.outer;
    for (const p of parts.outer) if (p.value.kind === "tir.Var") loopValues.set(p.value, p.iterVar.var);
    const dom = bindInner(parts.inner, analyzer, loopValues);
    const body = substituteSimplified(realize.block, parts.values, analyzer);
    if (body.init !== undefined && parts.outer.some((p) => p.iterVar.iterType === "kCommReduce")) {
      refuse(`block \`${body.name}\` is reduced by a loop outside of the new block`, realize.block);
    }
    reads.push(...relax(body.reads, dom));
    writes.push(...relax(body.writes, dom));
    const inner = innerOf(body, parts, division.innerPredicate, false);
    rekeyed.set(blockKey(realize.block), blockKey(inner.block));
    nests.push(insideLoops.reduceRight<Stmt>((s, l) => ({ ...l, extent: substitute(l.extent, loopValues), body: s }), inner));
  }
  const name = `outer_${realizes.map((r) => `${r.block.name}_`).join("")}`;
  const parts = outer ?? [];
  const block = makeBlock(name, parts.map((p) => p.iterVar), unite(reads, analyzer), unite(writes, analyzer), makeSeq(nests));
  const made = makeBlockRealize(parts.map((p) => p.value), outerPredicate, block);
  const body = replaceItems(tree, lca, realizes, made);
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[lca, { ...lca, body }]])), blocks: [blockKey(block)], rekeyed };
}

function replaceItems(tree: FuncTree, lca: For | Block, realizes: readonly BlockRealize[], made: BlockRealize): Stmt {
  if (lca.body.kind !== "tir.SeqStmt") return refuse("a block is inside another one", realizes.map((r) => r.block));
  const holds = lca.body.seq.map((item) => realizes.some((r) => tree.contains(item, r)));
  const start = holds.indexOf(true);
  const end = holds.lastIndexOf(true);
  if (holds.slice(start, end + 1).includes(false)) refuse("there are other statements between the blocks", realizes.map((r) => r.block));
  return makeSeq([...lca.body.seq.slice(0, start), made, ...lca.body.seq.slice(end + 1)]);
}

/** A block variable as `outer * innerExtent + inner + base`. */
interface DivisionPart {
  readonly outer: PrimExpr;
  readonly outerExtent: PrimExpr;
  readonly inner: PrimExpr;
  readonly innerExtent: PrimExpr;
  /** What is of neither the outer nor the inner loops. */
  readonly base: PrimExpr;
}

interface Division {
  readonly parts: readonly DivisionPart[];
  readonly outerPredicate: PrimExpr;
  readonly innerPredicate: PrimExpr;
}

function divide(realize: BlockRealize, loops: readonly For[], inside: readonly For[], analyzer: Analyzer, preserveUnitIters: boolean): Division {
  const domain = new Map<AnyVar, Range>(loops.map((l) => [l.loopVar, makeRange(l.min, l.extent)]));
  const innerVars = inside.map((l) => l.loopVar);
  // Loops that are in no binding, those that run once among them, take no part in the division.
  const bound = new Set<AnyVar>(realize.iterValues.flatMap((v) => undefinedVars(v)));
  const once = new Map<AnyVar, PrimExpr>(loops.filter((l) => isConstInt(l.extent, 1)).map((l) => [l.loopVar, l.min]));
  const conditions = conjuncts(analyzer.simplify(substitute(realize.predicate, once)));
  const onOthers = conditions.filter((c) => usesVar(c, (v) => domain.has(v) && !bound.has(v)));
  const found =
    realize.iterValues.length === 0
      ? undefined
      : subspaceDivide(realize.iterValues, domain, innerVars, {
          predicate: allOf(conditions.filter((c) => !onOthers.includes(c))),
          level: "surjective",
          analyzer,
          simplifyTrivial: !preserveUnitIters,
        });
  if (found !== undefined) {
    const fresh = new Analyzer();
    return {
      parts: found.indices.map((d) => {
        const base = baseOf(d.inner);
        return {
          outer: normalizeIterMapToExpr(d.outer.source, fresh),
          outerExtent: d.outer.extent,
          inner: fresh.simplify(sub(normalizeIterMapToExpr(d.inner.source, fresh), base)),
          innerExtent: d.inner.extent,
          base,
        };
      }),
      outerPredicate: allOf([found.outerPredicate, ...onOthers.filter((c) => !usesVar(c, (v) => inside.some((l) => l.loopVar === v)))]),
      innerPredicate: allOf([found.innerPredicate, ...onOthers.filter((c) => onlyInside(c, realize, loops, inside))]),
    };
  }
  return divideTrivially(realize, loops, inside);
}

/** True for a condition on the inner loops alone, false for one on the outer ones; refuses one on both. */
function onlyInside(c: PrimExpr, realize: BlockRealize, loops: readonly For[], inside: readonly For[]): boolean {
  const uses = (list: readonly For[]): boolean => usesVar(c, (v) => list.some((l) => l.loopVar === v));
  const outside = loops.filter((l) => !inside.includes(l));
  if (uses(inside) && uses(outside)) refuse(`the condition of block \`${realize.block.name}\` cannot be divided at this loop`, [c, ...inside.slice(0, 1)], "It must be on the loops inside alone, or on those outside.");
  return uses(inside);
}

function baseOf({ source }: IterMark): PrimExpr {
  return isIterMap(source) && source.tag === "sum" ? source.base : constant(0, dtypeOfMapped(source));
}

/** Each binding by outer loops only or by inner loops only. */
function divideTrivially(realize: BlockRealize, loops: readonly For[], inside: readonly For[]): Division {
  const innerVars = new Set<AnyVar>(inside.map((l) => l.loopVar));
  const outerVars = new Set<AnyVar>(loops.filter((l) => !inside.includes(l)).map((l) => l.loopVar));
  const bad = (): never => refuse(`the bindings of block \`${realize.block.name}\` cannot be divided at this loop`, [realize.block, ...inside.slice(0, 1)]);
  if (!isConstInt(realize.predicate, 1)) return bad();
  const parts = realize.iterValues.map((value, i): DivisionPart => {
    const extent = realize.block.iterVars[i]?.dom?.extent ?? constant(1, value.dtype);
    const byOuter = usesVar(value, (v) => outerVars.has(v));
    const byInner = usesVar(value, (v) => innerVars.has(v));
    const unit = { value: constant(0, "int32"), extent: constant(1, "int32") };
    const min = realize.block.iterVars[i]?.dom?.min;
    if ((byOuter && byInner) || (min !== undefined && !isConstInt(min, 0))) return bad();
    if (byInner) return { outer: unit.value, outerExtent: unit.extent, inner: value, innerExtent: extent, base: unit.value };
    if (byOuter) return { outer: value, outerExtent: extent, inner: unit.value, innerExtent: unit.extent, base: unit.value };
    return { outer: unit.value, outerExtent: unit.extent, inner: unit.value, innerExtent: unit.extent, base: value };
  });
  return { parts, outerPredicate: constant(1, "bool"), innerPredicate: constant(1, "bool") };
}

interface Part {
  readonly iterVar: IterVar;
  readonly value: PrimExpr;
}

interface Derived {
  readonly outer: readonly Part[];
  readonly inner: readonly Part[];
  /** The old block variables in terms of the new ones. */
  readonly values: ReadonlyMap<AnyVar, PrimExpr>;
}

/** Variables of the outer and the inner block. With `reuse` the outer ones are those, which must mean the same. */
function derive(iterVars: readonly IterVar[], division: Division, preserveUnitIters: boolean, reuse: readonly Part[] | undefined): Derived {
  const analyzer = new Analyzer();
  const outer: Part[] = [];
  const inner: Part[] = [];
  const values = new Map<AnyVar, PrimExpr>();
  iterVars.forEach((iv, i) => {
    const d = division.parts[i];
    if (d === undefined) return;
    const known = reuse?.[i];
    if (known !== undefined && !analyzer.canProveEqual(known.value, d.outer)) refuse("the blocks are bound to the outer loops differently");
    const o = known ?? { iterVar: iterFor(iv, "_o", d.outerExtent), value: d.outer };
    outer.push(o);
    if (isConstInt(d.innerExtent, 1)) {
      values.set(iv.var, add(isConstInt(d.outerExtent, 1) && !preserveUnitIters ? constant(0, d.outerExtent.dtype) : o.iterVar.var, d.base));
      return;
    }
    const n = { iterVar: iterFor(iv, "_i", d.innerExtent), value: d.inner };
    inner.push(n);
    values.set(iv.var, add(isConstInt(d.outerExtent, 1) ? n.iterVar.var : add(mul(o.iterVar.var, d.innerExtent), n.iterVar.var), d.base));
  });
  return { outer, inner, values };
}

function iterFor(iv: IterVar, suffix: string, extent: PrimExpr): IterVar {
  return makeIterVar(makeRange(constant(0, extent.dtype), extent), makeVar(`${iv.var.name}${suffix}`, iv.var.dtype), iv.iterType);
}

function bindInner(inner: readonly Part[], analyzer: Analyzer, loops: ReadonlyMap<AnyVar, PrimExpr>): ReadonlyMap<AnyVar, IntSet> {
  const dom = new Map<AnyVar, IntSet>();
  for (const { iterVar } of inner) {
    if (iterVar.dom === undefined) continue;
    const range = substitute(iterVar.dom, loops);
    dom.set(iterVar.var, intSetOfRange(range));
    analyzer.bind(iterVar.var, range);
  }
  return dom;
}

/** Variables replaced, what changes simplified on the way up. */
function substituteSimplified(block: Block, values: ReadonlyMap<AnyVar, PrimExpr>, analyzer: Analyzer): Block {
  const buffers = new Map<Buffer, Buffer>();
  const mapper = {
    expr(e: PrimExpr): PrimExpr {
      const x = e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (values.get(e) ?? e) : mapExprChildren(e, mapper);
      return x === e ? e : analyzer.simplify(x);
    },
    stmt: (s: Stmt): Stmt => mapStmtChildren(s, mapper),
    buffer(b: Buffer): Buffer {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
  };
  const out = mapper.stmt({ ...block, iterVars: [] });
  if (out.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  return { ...out, iterVars: block.iterVars };
}

function innerOf(block: Block, parts: Derived, predicate: PrimExpr, isUpdate: boolean): BlockRealize {
  const reads = isUpdate ? [...block.writes, ...block.reads] : block.reads;
  const inner: Block = { ...block, iterVars: parts.inner.map((p) => p.iterVar), init: undefined, reads };
  return makeBlockRealize(parts.inner.map((p) => p.value), predicate, inner);
}

/** The init of the outer block: the inner init over the spatial part of the inner loops. */
function outerInit(init: Stmt, inner: BlockRealize, loops: readonly For[], name: string): Stmt {
  const values = new Map<AnyVar, PrimExpr>();
  const iterVars: IterVar[] = [];
  const iterValues: PrimExpr[] = [];
  inner.block.iterVars.forEach((iv, i) => {
    const value = inner.iterValues[i];
    if (iv.iterType !== "kDataPar" || value === undefined || !usesVar(init, iv.var)) return;
    const own: Var = makeVar(`${iv.var.name}_init`, iv.var.dtype);
    values.set(iv.var, own);
    iterVars.push({ ...iv, var: own });
    iterValues.push(value);
  });
  const block = makeBlock(name, iterVars, [], inner.block.writes, init);
  const used = loops.filter((l) => iterValues.some((v) => usesVar(v, l.loopVar)));
  const nest = used.reduceRight<Stmt>((s, l) => {
    const own = makeVar(l.loopVar.name, l.loopVar.dtype);
    values.set(l.loopVar, own);
    return makeFor(own, l.min, l.extent, s, { forKind: l.forKind, threadBinding: l.threadBinding, annotations: l.annotations });
  }, makeBlockRealize(iterValues, initPredicate(inner.predicate, loops.filter((l) => !used.includes(l))), block));
  return substitute(nest, values);
}

function relax(regions: readonly BufferRegion[], dom: ReadonlyMap<AnyVar, IntSet>): readonly BufferRegion[] {
  return regions.map((r) => {
    const sets = evalRegionSets(r.region, dom);
    const dims = r.buffer.shape.map((extent, i) => {
      const set = sets[i];
      const whole = makeRange(constant(0, extent.dtype), extent);
      return set === undefined ? whole : coverRange(set, whole, new Analyzer());
    });
    return makeBufferRegion(r.buffer, dims);
  });
}

function unite(regions: readonly BufferRegion[], analyzer: Analyzer): readonly BufferRegion[] {
  const sets = new Map<Buffer, IntSet[][]>();
  for (const r of regions) {
    const known = sets.get(r.buffer) ?? r.region.map(() => []);
    r.region.forEach((d, i) => known[i]?.push(intSetOfRange(d)));
    sets.set(r.buffer, known);
  }
  return [...sets].map(([buffer, dims]) => {
    const ranges = dims.map((list, i) => {
      const set = unionSets(list, analyzer);
      const extent = buffer.shape[i] ?? constant(1, "int32");
      if (set.tag === "empty" || set.min === undefined || set.max === undefined) return makeRange(constant(0, extent.dtype), extent);
      return makeRange(set.min, analyzer.simplify(sub(add(set.max, 1), set.min)));
    });
    return makeBufferRegion(buffer, ranges);
  });
}
