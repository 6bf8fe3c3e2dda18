import { makePointerType, makePrimType } from "@verticil/ir-core";
import { Analyzer } from "../../arith/analyzer.ts";
import { evalSet } from "../../arith/eval-set.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { intSetsOfRanges } from "../../arith/int-set.ts";
import { sideEffect } from "../../analysis/side-effect.ts";
import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../../ir/expr.ts";
import { undefinedVars } from "../../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBuffer, makeBufferStore, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../../ir/map-children.ts";
import { add, constant } from "../../ir/ops.ts";
import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
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
  const ranges = new Map<AnyVar, Range>(tree.loopsOf(realize).map((l) => [l.loopVar, makeRange(l.min, l.extent)]));
  const stages = exprs.map((e, i) => makeStage(realize, e, i, ranges, storageScope));
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
    const t = mapStmtChildren(s, { expr: (e) => e, stmt: visit });
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

function makeStage(realize: BlockRealize, expr: PrimExpr, i: number, ranges: ReadonlyMap<AnyVar, Range>, storageScope: string): IndexStage {
  const bindings = bindingsOf(realize);
  const vars = undefinedVars(expr);
  const values = vars.map((v) => bindings.get(v) ?? refuse(`\`${v.name}\` in an index of block \`${realize.block.name}\` is not one of its variables`, realize.block));
  const loops = [...new Set(values.flatMap((v) => undefinedVars(v)))];
  const sets = intSetsOfRanges(ranges);
  const shape = values.map((v) => {
    const set = evalSet(v, sets);
    return set.tag === "interval" && set.max !== undefined ? new Analyzer().simplify(add(set.max, 1)) : refuse("the range of an index is not known", realize.block);
  });
  const name = `index_var_${i}`;
  const data = makeVar(name, "handle", makePointerType(makePrimType(expr.dtype), storageScope));
  const buffer = makeBuffer(name, shape, expr.dtype, { data, strides: shape.length === 1 ? [constant(1, "int32")] : [] });
  const fresh = new Map<AnyVar, PrimExpr>();
  const loopVars = loops.map((l, k) => {
    const own = makeVar(`ax${k}`, l.dtype);
    fresh.set(l, own);
    return own;
  });
  const own = new Map<AnyVar, PrimExpr>();
  const iterVars = vars.map((v, k) => {
    const iv = makeVar(`v${k}`, v.dtype);
    own.set(v, iv);
    const extent = shape[k] ?? constant(1, v.dtype);
    return makeIterVar(makeRange(constant(0, v.dtype), extent), iv, "kDataPar");
  });
  const indices = iterVars.map((iv) => iv.var);
  const block = makeBlock(`index_${i}`, iterVars, [], [pointsOf(buffer, indices)], makeBufferStore(buffer, substitute(expr, own), indices));
  const placed = makeBlockRealize(values.map((v) => substitute(v, fresh)), constant(1, "bool"), block);
  const nest = loops.reduceRight<Stmt>((s, l, k) => {
    const extent = ranges.get(l)?.extent ?? constant(1, l.dtype);
    return makeFor(loopVars[k] ?? makeVar("ax"), constant(0, "int32"), extent, s);
  }, placed);
  return { expr, vars, buffer, nest, key: blockKey(block) };
}

/** Replaces what equals `expr` in the stores of a block. */
function replaceExpr(s: Stmt, expr: PrimExpr, by: PrimExpr): Stmt {
  const analyzer = new Analyzer();
  const mapper: ChildMapper = {
    expr(e) {
      if (e.dtype === expr.dtype && e.kind !== "ir.IntImm" && (exprDeepEqual(e, expr) || (sideEffect(e) === "pure" && analyzer.canProveEqual(e, expr)))) return by;
      return mapExprChildren(e, mapper);
    },
    stmt: (x) => (x.kind === "tir.BufferStore" ? mapStmtChildren(x, mapper) : mapStmtChildren(x, { expr: (e) => e, stmt: mapper.stmt })),
  };
  return mapper.stmt(s);
}
