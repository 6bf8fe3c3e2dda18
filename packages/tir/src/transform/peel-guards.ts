import type { Pass } from "@verticil/ir-core";
import { isInteger } from "@verticil/runtime-ffi";
import { toLinear } from "../analysis/linear-form.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeSeq } from "../ir/make-stmt.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { asInt, constant, sub } from "../ir/ops.ts";
import type { For, ForKind, PrimFunc, Stmt } from "../ir/stmt.ts";
import { renewDefs, substitute } from "../ir/substitute.ts";
import { BranchConditions } from "./branch-conditions.ts";
import { distinctDefs } from "./distinct-defs.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { simplifyMentions } from "./simplify-mentions.ts";
import { simplifyStmt } from "./simplify.ts";

/** How much a function may grow. */
export interface PeelOptions {
  /** Statements and expressions that copies of loop bodies may add to one function. */
  readonly maxGrowth?: number;
}

/**
 * Splits loops where a guard inside is known to hold, so that the bulk runs without it and only the borders keep it,
 * while the code stays within a size. A guard that is the same for many inner iterations is left to `UnswitchLoops`,
 * which moves it instead of copying the body. (`LoopPartition` is upstream's form of it.)
 */
export function peelGuards(options: PeelOptions = {}): Pass {
  return primFuncPass("PeelGuards", (func) => partitionFunc(func, options.maxGrowth ?? 3000));
}

/** Values of a variable: `from` to `to`, the end not included. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function partitionFunc(func: PrimFunc, maxGrowth: number): PrimFunc {
  const analyzer = new Analyzer();
  const conditions = new BranchConditions();
  let growth = 0;
  const visit = (s: Stmt, isShared: boolean): Stmt => {
    if (conditions.of(s).length === 0) return s;
    if (s.kind !== "tir.For") return mapSubStmts(s, (x) => visit(x, isShared));
    const pieces = planPieces(s, analyzer, conditions);
    const size = pieces === undefined ? 0 : conditions.sizeOf(s.body) * (pieces.length - 1);
    if (pieces !== undefined && growth + size <= maxGrowth) {
      growth += size;
      return split(s, pieces, isShared);
    }
    analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    const body = visit(s.body, isShared);
    return body === s.body ? s : { ...s, body };
  };
  /** Pieces share what is the same in them, until all of them are made. */
  const split = (s: For, pieces: readonly Piece[], isShared: boolean): Stmt => {
    const done: Stmt[] = [];
    const before = growth;
    for (const p of pieces) {
      const shared = sharingPiece(s, p, analyzer);
      if (shared === undefined) break;
      done.push(visit(shared, true));
    }
    if (done.length === pieces.length) return isShared ? makeSeq(done) : distinctDefs(makeSeq(done));
    growth = before;
    return makeSeq(pieces.map((p, i) => visit(simplifyStmt(copiedPiece(s, p, i > 0), analyzer), isShared)));
  };
  return withBody(func, visit(func.body, false));
}

interface Piece extends Span {
  readonly forKind: ForKind;
}

/** One of the loops that a loop is split into, simplified; one that runs once is its body. Undefined if the loop is not flat. */
function sharingPiece(loop: For, { from, to, forKind }: Piece, analyzer: Analyzer): Stmt | undefined {
  const { loopVar, threadBinding, annotations, span } = loop;
  const min = constant(from, loopVar.dtype);
  if (to - from === 1) return simplifyMentions(loop.body, loopVar, min, analyzer);
  const extent = constant(to - from, loopVar.dtype);
  analyzer.bind(loopVar, makeRange(min, extent), { override: true });
  const body = simplifyMentions(loop.body, loopVar, undefined, analyzer);
  return body && { kind: "tir.For", loopVar, min, extent, forKind, threadBinding, annotations, body, span };
}

/** `sharingPiece` of any loop, not simplified; a copy has its own definitions. */
function copiedPiece(loop: For, { from, to, forKind }: Piece, copy: boolean): Stmt {
  const dtype = loop.loopVar.dtype;
  if (to - from === 1) {
    const value = new Map([[loop.loopVar, constant(from, dtype)]]);
    return copy ? renewDefs(loop.body, value) : substitute(loop.body, value);
  }
  const part: For = { ...loop, min: constant(from, dtype), extent: constant(to - from, dtype), forKind };
  return copy ? renewDefs(part) : part;
}

function planPieces(loop: For, analyzer: Analyzer, conditions: BranchConditions): readonly Piece[] | undefined {
  const from = asInt(loop.min);
  const extent = asInt(loop.extent);
  if (from === undefined || extent === undefined || extent < 2) return undefined;
  if (loop.forKind === "unrolled" || loop.forKind === "thread_binding") return undefined;
  const whole: Span = { from, to: from + extent };
  const main = clearSpan(loop, whole, analyzer, conditions);
  if (main === undefined || (main.from === whole.from && main.to === whole.to)) return undefined;
  const spans = [{ from: whole.from, to: main.from }, main, { from: main.to, to: whole.to }].filter((s) => s.to > s.from);
  return loop.forKind === "vectorized" ? spans.flatMap(wholeVectors) : spans.map((s) => ({ ...s, forKind: loop.forKind }));
}

/** Lanes come in fours; what is left over is done one by one. */
function wholeVectors({ from, to }: Span): readonly Piece[] {
  const middle = from + Math.floor((to - from) / 4) * 4;
  const out: Piece[] = [];
  if (middle > from) out.push({ from, to: middle, forKind: "vectorized" });
  if (to > middle) out.push({ from: middle, to, forKind: "unrolled" });
  return out;
}

/** The largest span of the loop in which every guard that the loop decides is known; undefined if there is no guard. */
function clearSpan(loop: For, whole: Span, analyzer: Analyzer, conditions: BranchConditions): Span | undefined {
  const v = loop.loopVar;
  const guards = conditions.of(loop.body);
  if (!guards.some((g) => g.vars.has(v))) return undefined;
  let span: Span | undefined;
  for (const { condition, vars, loops } of guards) {
    for (const l of loops) analyzer.bind(l.loopVar, makeRange(l.min, l.extent), { override: true });
    if (!vars.has(v)) continue;
    const often = hoistable(loops) > 8;
    for (const atom of atoms(condition)) {
      if (!usesVar(atom, v)) continue;
      if (often && !usesVar(atom, (x) => loops.some((l) => l.loopVar === x))) continue;
      const clear = decided(atom, v, whole, analyzer);
      if (clear === undefined) continue;
      const both = span === undefined ? clear : intersect(span, clear);
      if (both.to > both.from) span = both;
    }
  }
  return span;
}

/** Iterations of loops around a guard that do not change it: as often is it not evaluated if it is moved out of them. */
function hoistable(loops: readonly For[]): number {
  return loops.reduce((n, l) => (l.forKind === "vectorized" || l.forKind === "unrolled" ? n : n * (asInt(l.extent) ?? 16)), 1);
}

function intersect(a: Span, b: Span): Span {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

/** The comparisons that a conjunction is made of. */
function atoms(condition: PrimExpr): readonly PrimExpr[] {
  if (condition.kind === "tir.And" || condition.kind === "tir.Or") return [...atoms(condition.a), ...atoms(condition.b)];
  if (condition.kind === "tir.Not") return atoms(condition.a);
  if (condition.kind === "tir.Call" && condition.op.kind === "ir.Op" && condition.op.name === "tir.likely" && condition.args[0]) {
    return atoms(condition.args[0]);
  }
  return [condition];
}

/** Where in `whole` a comparison has one known outcome, whatever the other variables: the span with the more values. */
function decided(atom: PrimExpr, v: AnyVar, whole: Span, analyzer: Analyzer): Span | undefined {
  if (!("a" in atom && "b" in atom) || !isInteger(atom.a.dtype)) return undefined;
  switch (atom.kind) {
    case "tir.LT":
      return decidedSign(sub(sub(atom.b, atom.a), 1), v, whole, analyzer);
    case "tir.LE":
      return decidedSign(sub(atom.b, atom.a), v, whole, analyzer);
    case "tir.GT":
      return decidedSign(sub(sub(atom.a, atom.b), 1), v, whole, analyzer);
    case "tir.GE":
      return decidedSign(sub(atom.a, atom.b), v, whole, analyzer);
    case "tir.EQ":
    case "tir.NE": {
      // Nowhere equal but at one value of `v`: the larger side of it.
      const value = soleZero(sub(atom.a, atom.b), v);
      if (value === undefined || value < whole.from || value >= whole.to) return undefined;
      const before = { from: whole.from, to: value };
      const after = { from: value + 1, to: whole.to };
      return longer(before, after);
    }
    default:
      return undefined;
  }
}

function longer(a: Span, b: Span): Span {
  return a.to - a.from > b.to - b.from ? a : b;
}

function soleZero(difference: PrimExpr, v: AnyVar): number | undefined {
  const { terms, offset } = toLinear(difference);
  const [term] = terms;
  if (terms.length !== 1 || term === undefined || term.atom !== v || offset % term.coeff !== 0) return undefined;
  return -offset / term.coeff;
}

/** Where `f >= 0` is known to hold, or known not to. */
function decidedSign(f: PrimExpr, v: AnyVar, whole: Span, analyzer: Analyzer): Span | undefined {
  const { terms, offset } = toLinear(f);
  let factor = 0;
  let low = offset;
  let high = offset;
  for (const { atom, coeff } of terms) {
    if (atom === v) {
      factor = coeff;
      continue;
    }
    if (usesVar(atom, v)) return undefined;
    const { min, max } = analyzer.constIntBound(atom);
    low += coeff > 0 ? coeff * min : coeff * max;
    high += coeff > 0 ? coeff * max : coeff * min;
  }
  if (factor === 0 || !Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  const holds =
    factor > 0
      ? intersect(whole, { from: Math.ceil(-low / factor), to: whole.to })
      : intersect(whole, { from: whole.from, to: Math.floor(low / -factor) + 1 });
  const fails =
    factor > 0
      ? intersect(whole, { from: whole.from, to: Math.ceil(-high / factor) })
      : intersect(whole, { from: Math.floor(high / -factor) + 1, to: whole.to });
  const best = longer(fails, holds);
  return best.to > best.from ? best : undefined;
}
