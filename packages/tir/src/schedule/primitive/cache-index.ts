import { makePointerType, makePrimType } from "@verticil/ir-core";
import { Analyzer, conjuncts } from "../../arith/analyzer.ts";
import { evalSet } from "../../arith/eval-set.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { intSetsOfRanges } from "../../arith/int-set.ts";
import { sideEffect } from "../../analysis/side-effect.ts";
import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { undefinedVars, usesVar } from "../../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBuffer, makeBufferStore, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, mapSubStmts, type ChildMapper } from "../../ir/map-children.ts";
import { add, allOf, constant, ge } from "../../ir/ops.ts";
import type { BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { forEachExprChild, visitExpr, visitStmt } from "../../ir/visit.ts";
import { bindingsOf, scopeRoot } from "../block-relations.ts";
import { pointsOf, requireStorageScope, withStage } from "../cache-stage.ts";
import { blockKey, type BlockKey, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * The index computations in what the block stores kept in buffers that blocks before it fill, if they occur `cseThresh`
 * times or more; gives those blocks.
 */
export function cacheIndex(tree: FuncTree, realize: BlockRealize, storageScope: string, cseThresh: number): Outcome {
  if (!Number.isInteger(cseThresh) || cseThresh < 0) refuse(`the threshold ${cseThresh} is not a non-negative integer`);
  requireStorageScope(storageScope);
  const scope = scopeRoot(tree, realize);
  const exprs = repeatedExprs(realize, cseThresh);
  const loops = tree.loopsOf(realize);
  const stages = exprs.map((e, i) => makeStage(realize, e, i, loops, storageScope));
  const changed = stages.reduce<Stmt>((s, st) => replaceExpr(s, st.expr, makeBufferLoad(st.buffer, st.vars)), realize);
  const items = scope.block.body.kind === "tir.SeqStmt" ? scope.block.body.seq : [scope.block.body];
  const pos = Math.max(0, items.findIndex((s) => tree.contains(s, realize)));
  if (stages.length === 0) return { func: tree.func, blocks: [] };
  const nest = makeSeq(stages.map((s) => s.nest));
  const func = withStage(tree, scope, new Map<Stmt, Stmt>([[realize, changed]]), { at: scope.block, pos }, nest, undefined);
  const withBuffers = addBuffers(func.body, scope.block.name, stages.map((s) => s.buffer), scope.block.iterVars);
  return { func: { ...func, body: withBuffers }, blocks: stages.map((s) => s.key) };
}

function addBuffers(body: Stmt, name: string, buffers: readonly Buffer[], iterVars: readonly unknown[]): Stmt {
  const visit = (s: Stmt): Stmt => {
    const t = mapSubStmts(s, visit);
    return t.kind === "tir.Block" && t.name === name && t.iterVars === iterVars ? { ...t, allocBuffers: [...t.allocBuffers, ...buffers] } : t;
  };
  return visit(body);
}

function sizeOf(e: PrimExpr): number {
  let n = 0;
  visitExpr(e, { expr: () => void n++ });
  return n;
}

function isCandidate(e: PrimExpr): boolean {
  return e.kind !== "tir.Ramp" && e.kind !== "tir.Broadcast" && sideEffect(e) === "pure" && sizeOf(e) > 1;
}

/** The largest candidates inside an expression, itself included. */
function candidates(e: PrimExpr, out: PrimExpr[]): void {
  if (isCandidate(e)) out.push(e);
  else forEachExprChild(e, (c) => candidates(c, out));
}

/** The computations that occur often enough in the stores of a block, the largest first. One that does not is looked into. */
function repeatedExprs(realize: BlockRealize, threshold: number): readonly PrimExpr[] {
  const analyzer = new Analyzer();
  const same = (a: PrimExpr, b: PrimExpr): boolean => a.dtype === b.dtype && (exprDeepEqual(a, b) || analyzer.canProveEqual(a, b));
  const out: PrimExpr[] = [];
  visitStmt(realize.block.body, {
    stmt(s) {
      if (s.kind === "tir.BlockRealize") return "skip";
      if (s.kind !== "tir.BufferStore") return undefined;
      const table: { readonly expr: PrimExpr; count: number }[] = [];
      const note = (e: PrimExpr, n: number): void => {
        const known = table.find((t) => same(t.expr, e));
        if (known !== undefined) known.count += n;
        else {
          const at = table.findIndex((t) => sizeOf(t.expr) < sizeOf(e));
          table.splice(at < 0 ? table.length : at, 0, { expr: e, count: n });
        }
      };
      const found: PrimExpr[] = [];
      for (const e of [s.value, ...s.indices]) candidates(e, found);
      for (const e of found) note(e, 1);
      for (let i = 0; i < table.length; i++) {
        const row = table[i];
        if (row === undefined || row.count >= threshold) continue;
        const parts: PrimExpr[] = [];
        forEachExprChild(row.expr, (c) => candidates(c, parts));
        for (const p of parts) note(p, row.count);
      }
      for (const e of postOrder(s.value)) {
        const row = table.find((t) => t.count >= threshold && same(t.expr, e));
        if (row !== undefined && !out.includes(row.expr)) out.push(row.expr);
      }
      return undefined;
    },
  });
  return out.map((e, i) => ({ e, i, size: sizeOf(e) })).sort((a, b) => b.size - a.size || a.i - b.i).map(({ e }) => e);
}

function postOrder(e: PrimExpr): readonly PrimExpr[] {
  const out: PrimExpr[] = [];
  const visit = (x: PrimExpr): void => {
    forEachExprChild(x, visit);
    out.push(x);
  };
  visit(e);
  return out;
}

interface IndexStage {
  readonly expr: PrimExpr;
  readonly vars: readonly AnyVar[];
  readonly buffer: Buffer;
  readonly nest: Stmt;
  readonly key: BlockKey;
}

/** The loops that expressions depend on, those that bound such a loop included, outermost first. */
function loopsFor(exprs: readonly PrimExpr[], loops: readonly For[]): readonly For[] {
  const used = new Set<AnyVar>(exprs.flatMap((e) => undefinedVars(e)));
  const kept: For[] = [];
  for (const l of loops.toReversed()) {
    if (!used.has(l.loopVar)) continue;
    for (const v of [...undefinedVars(l.min), ...undefinedVars(l.extent)]) used.add(v);
    kept.unshift(l);
  }
  return kept;
}

/** The largest value of a block's variable plus one, after making sure that it is not negative where the block runs. */
function extentOf(value: PrimExpr, v: AnyVar, loops: readonly For[], condition: PrimExpr, realize: BlockRealize): PrimExpr {
  const analyzer = new Analyzer();
  for (const l of loops) analyzer.bind(l.loopVar, makeRange(l.min, l.extent));
  const isIndex = analyzer.withConstraint(condition, () => analyzer.canProve(ge(value, 0)));
  if (!isIndex) refuse(`\`${v.name}\` of block \`${realize.block.name}\` is not known to be an index: it may be negative`, realize.block);
  const set = evalSet(value, intSetsOfRanges(new Map(loops.map((l) => [l.loopVar, makeRange(l.min, l.extent)]))));
  if (set.tag !== "interval" || set.max === undefined) return refuse(`the range of \`${v.name}\` of block \`${realize.block.name}\` is not known`, realize.block);
  const extent = analyzer.simplify(add(set.max, 1));
  return usesVar(extent, (x) => loops.some((l) => l.loopVar === x)) ? refuse(`the range of \`${v.name}\` of block \`${realize.block.name}\` depends on loops`, realize.block) : extent;
}

function makeStage(realize: BlockRealize, expr: PrimExpr, i: number, nest: readonly For[], storageScope: string): IndexStage {
  const bindings = bindingsOf(realize);
  const vars = undefinedVars(expr);
  const values = vars.map((v) => bindings.get(v) ?? refuse(`\`${v.name}\` in an index of block \`${realize.block.name}\` is not one of its variables`, realize.block));
  const loops = loopsFor(values, nest);
  // Where the block does not run, its variables may be no indices.
  const inside = new Set<AnyVar>(loops.map((l) => l.loopVar));
  const condition = allOf(conjuncts(realize.predicate).filter((c) => undefinedVars(c).every((v) => inside.has(v))));
  const shape = values.map((v, k) => extentOf(v, vars[k] ?? makeVar("?"), loops, condition, realize));
  const name = `index_var_${i}`;
  const data = makeVar(name, "handle", makePointerType(makePrimType(expr.dtype), storageScope));
  const buffer = makeBuffer(name, shape, expr.dtype, { data, strides: shape.length === 1 ? [constant(1, "int32")] : [] });
  const fresh = new Map<AnyVar, PrimExpr>();
  const own = new Map<AnyVar, PrimExpr>();
  const loopVars = loops.map((l, k) => {
    const ax = makeVar(`ax${k}`, l.loopVar.dtype);
    fresh.set(l.loopVar, ax);
    return ax;
  });
  const iterVars = vars.map((v, k) => {
    const iv = makeVar(`v${k}`, v.dtype);
    own.set(v, iv);
    return makeIterVar(makeRange(constant(0, v.dtype), shape[k] ?? constant(1, v.dtype)), iv, "kDataPar");
  });
  const indices = iterVars.map((iv) => iv.var);
  const block = makeBlock(`index_${i}`, iterVars, [], [pointsOf(buffer, indices)], makeBufferStore(buffer, substitute(expr, own), indices));
  const placed: Stmt = makeBlockRealize(values.map((v) => substitute(v, fresh)), substitute(condition, fresh), block);
  const stage = loops.reduceRight<Stmt>((s, l, k) => makeFor(loopVars[k] ?? l.loopVar, substitute(l.min, fresh), substitute(l.extent, fresh), s), placed);
  return { expr, vars, buffer, nest: stage, key: blockKey(block) };
}

/** Replaces what equals `expr` in the stores of a block. */
function replaceExpr(s: Stmt, expr: PrimExpr, by: PrimExpr): Stmt {
  const analyzer = new Analyzer();
  const mapper: ChildMapper = {
    expr(e) {
      if (e.dtype === expr.dtype && e.kind !== "ir.IntImm" && (exprDeepEqual(e, expr) || (sideEffect(e) === "pure" && analyzer.canProveEqual(e, expr)))) return by;
      return mapExprChildren(e, mapper);
    },
    stmt: (x) => (x.kind === "tir.BufferStore" ? mapStmtChildren(x, mapper) : mapSubStmts(x, mapper.stmt)),
  };
  return mapper.stmt(s);
}
