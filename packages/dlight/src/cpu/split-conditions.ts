import {
  asInt,
  getBlockAccessRegion,
  makeSeq,
  mapSubStmts,
  renewDefs,
  strideIn,
  usesVar,
  visitExpr,
  type Block,
  type PrimExpr,
  type PrimFunc,
  type Stmt,
  type Var,
} from "@verticil/tir";
import { choiceOf, combinations, holdsBlock, restrictNest } from "./restrict-nest.ts";
import { lanes, mostWrittenOut } from "./schedule-injective.ts";
import type { Cut } from "./tile-cuts.ts";

const mostParts = 12;

/**
 * A block whose value depends on comparisons of its variables with constants (a padded copy, a concatenation) made once
 * for each part of its domain in which they are decided, so that no part has a condition. Gives the function and the
 * names of the parts; undefined if there is nothing to decide or there would be too many parts.
 */
export function splitConditions(func: PrimFunc, name: string): { readonly func: PrimFunc; readonly names: readonly string[] } | undefined {
  const { body } = func;
  if (body.kind !== "tir.BlockRealize") return undefined;
  const root = body.block;
  const items = root.body.kind === "tir.SeqStmt" ? root.body.seq : [root.body];
  const at = items.findIndex((s) => holdsBlock(s, name));
  const nest = items[at];
  const block = nest && blockIn(nest, name);
  if (nest === undefined || block === undefined) return undefined;
  const axes = block.iterVars.flatMap((iv) => {
    const cuts = cutsOf(block, iv.var);
    return cuts.length > 1 ? [{ v: iv.var, cuts }] : [];
  });
  if (isWrittenOut(block, axes)) return undefined;
  const parts = combinations(axes.map((a) => a.cuts));
  if (parts.length < 2 || parts.length > mostParts) return undefined;
  const names: string[] = [];
  const made: Stmt[] = [];
  for (const [i, cuts] of parts.entries()) {
    const partName = i === 0 ? name : `${name}_${i}`;
    const runs = new Map<Var, Cut>();
    axes.forEach((a, k) => {
      const cut = cuts[k];
      if (cut !== undefined) runs.set(a.v, cut);
    });
    const part = restrictNest(nest, name, partName, runs);
    if (part === undefined) return undefined;
    names.push(partName);
    made.push(refreshReads(renewDefs(part)));
  }
  const seq = items.flatMap((s, i) => (i === at ? made : [s]));
  return { func: { ...func, body: { ...body, block: { ...root, body: makeSeq(seq) } } }, names };
}

/**
 * True if all that is decided is decided by the innermost variable, which has few values and none for a vector: they are written
 * out, each with its own decision, so that a row is written once and not once for each part.
 */
function isWrittenOut(block: Block, axes: readonly { readonly v: Var; readonly cuts: readonly Cut[] }[]): boolean {
  const [axis, another] = axes;
  if (axis === undefined || another !== undefined || axis.v !== block.iterVars.at(-1)?.var) return false;
  const extent = axis.cuts.reduce((n, c) => n + c.length, 0);
  return extent <= mostWrittenOut && axis.cuts.every((c) => c.length < lanes);
}

function blockIn(s: Stmt, name: string): Block | undefined {
  if (s.kind === "tir.BlockRealize") return s.block.name === name ? s.block : undefined;
  return s.kind === "tir.For" ? blockIn(s.body, name) : undefined;
}

/** The runs of `v` between the constants that it is compared with. */
function cutsOf(block: Block, v: Var): readonly Cut[] {
  const dom = block.iterVars.find((iv) => iv.var === v)?.dom;
  const start = dom && asInt(dom.min);
  const length = dom && asInt(dom.extent);
  if (start === undefined || length === undefined || block.body.kind !== "tir.BufferStore") return [];
  const points = new Set<number>();
  visitExpr(block.body.value, (e) => {
    const choice = choiceOf(e);
    if (choice !== undefined) comparisons(choice.condition, v).forEach((p) => points.add(p));
  });
  const inside = [...points].filter((p) => p > start && p < start + length).sort((a, b) => a - b);
  const bounds = [start, ...inside, start + length];
  return bounds.slice(0, -1).map((from, i) => {
    const n = (bounds[i + 1] ?? from) - from;
    return { start: from, length: n, tile: n };
  });
}

/** The values of `v` at which comparisons of it alone with a constant change. */
function comparisons(e: PrimExpr, v: Var): readonly number[] {
  switch (e.kind) {
    case "tir.And":
    case "tir.Or":
      return [...comparisons(e.a, v), ...comparisons(e.b, v)];
    case "tir.Not":
      return comparisons(e.a, v);
    case "tir.LT":
    case "tir.GE":
    case "tir.LE":
    case "tir.GT": {
      const after = e.kind === "tir.LE" || e.kind === "tir.GT" ? 1 : 0;
      const left = offsetOf(e.a, v);
      const right = asInt(e.b);
      if (left !== undefined && right !== undefined) return [right - left + after];
      const bound = asInt(e.a);
      const other = offsetOf(e.b, v);
      return bound !== undefined && other !== undefined ? [bound - other + 1 - after] : [];
    }
    default:
      return [];
  }
}

/** `c` where the expression is `v + c`. */
function offsetOf(e: PrimExpr, v: Var): number | undefined {
  if (strideIn(e, v) !== 1) return undefined;
  if (e === v) return 0;
  if (e.kind !== "tir.Add" && e.kind !== "tir.Sub") return undefined;
  const a = e.a === v ? 0 : asInt(e.a);
  const b = e.b === v ? 0 : asInt(e.b);
  if (a === undefined || b === undefined || !usesVar(e, v)) return undefined;
  return e.kind === "tir.Add" ? a + b : a - b;
}

function refreshReads(nest: Stmt): Stmt {
  const visit = (s: Stmt): Stmt => {
    if (s.kind === "tir.BlockRealize") return { ...s, block: { ...s.block, reads: getBlockAccessRegion(s.block).reads } };
    return mapSubStmts(s, visit);
  };
  return visit(nest);
}
