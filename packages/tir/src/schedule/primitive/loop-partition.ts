import { Analyzer } from "../../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../../ir/expr.ts";
import { makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { add, asInt, cast, constant, ge, gt, isConst, sub } from "../../ir/ops.ts";
import type { BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { renewDefs, substitute } from "../../ir/substitute.ts";
import { visitStmt } from "../../ir/visit.ts";
import { mapSubStmts } from "../../ir/map-children.ts";
import { stmtChildren, replaceStmts, type FuncTree } from "../func-tree.ts";
import { requirePlain } from "../loop-body.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { checkFactor, widestIndex } from "./split.ts";

/**
 * The loop cut into consecutive loops, `given` being the lengths of the parts but one that may be undefined; what is left
 * after them is a part of its own if none is. Each part has its own copy of the blocks inside and is wrapped in a block
 * `<block>_<loop><part>_partition`, all of them in `<block>_<loop>_common`.
 */
export function partitionLoop(tree: FuncTree, loop: For, given: readonly (PrimExpr | undefined)[]): Outcome {
  const ends = partEnds(loop, given);
  requirePlain(loop);
  const analyzer = new Analyzer();
  const dtype = widestIndex([loop.loopVar, ...ends]);
  const name = `${firstBlockName(loop)}_${loop.loopVar.name}`;
  const vars: Var[] = [];
  let start = loop.min;
  const parts = ends.map((end, i): BlockRealize => {
    const stop = analyzer.simplify(end);
    const v = makeVar(`${loop.loopVar.name}${i}`, dtype);
    vars.push(v);
    const body = renewDefs(substitute(loop.body, new Map<AnyVar, PrimExpr>([[loop.loopVar, v]])));
    const renamed = narrowBlocks(body, v, start, stop);
    const part = makeFor(v, start, sub(stop, start), renamed);
    start = stop;
    return makeBlockRealize([], gt(stop, 0), makeBlock(`${name}${i}_partition`, [], [], [], part));
  });
  const common = makeBlockRealize([], constant(1, "bool"), makeBlock(`${name}_common`, [], [], [], makeSeq(parts)));
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[loop, common]])), loops: vars };
}

function partEnds(loop: For, given: readonly (PrimExpr | undefined)[]): readonly PrimExpr[] {
  if (!isConst(loop.min) || !isConst(loop.extent)) refuse(`the bounds of \`${loop.loopVar.name}\` are not constant`, loop);
  if (given.filter((f) => f === undefined).length > 1) refuse("more than one part is left open", loop, "Leave at most one length undefined.");
  const lengths = given.map((f) => f && checkFactor(loop, f));
  const total = lengths.reduce<PrimExpr>((sum, f) => (f === undefined ? sum : add(sum, f)), constant(0, "int32"));
  if (new Analyzer().canProve(ge(total, loop.extent))) {
    refuse(`the parts are as long as loop \`${loop.loopVar.name}\` or longer`, loop, `Their lengths must add up to less than ${asInt(loop.extent) ?? "the extent"}.`);
  }
  const ends: PrimExpr[] = [];
  for (const f of lengths) {
    const length = f ?? sub(loop.extent, total);
    const last = ends[ends.length - 1];
    ends.push(last === undefined ? length : add(length, last));
  }
  return lengths.includes(undefined) ? ends : [...ends, loop.extent];
}

function firstBlockName(s: Stmt): string {
  if (s.kind === "tir.BlockRealize") return s.block.name;
  for (const c of stmtChildren(s)) {
    const found = firstBlockName(c);
    if (found !== "") return found;
  }
  return "";
}

/** Blocks get the part's name and, where a variable is the loop itself, its domain; regions of plain variables become their domains. */
function narrowBlocks(s: Stmt, loopVar: Var, start: PrimExpr, stop: PrimExpr): Stmt {
  const visit = (x: Stmt): Stmt => {
    const t = mapSubStmts(x, visit);
    if (t.kind !== "tir.BlockRealize") return t;
    const name = `${t.block.name}_${loopVar.name}`;
    const at = t.iterValues.indexOf(loopVar);
    // The init of a reduction runs where its variables are at their start: that must not be the start of a part.
    if (at < 0 || (t.block.init !== undefined && t.block.iterVars[at]?.iterType === "kCommReduce")) return { ...t, block: { ...t.block, name } };
    const iterVars = t.block.iterVars.map((iv, i) => (i === at ? { ...iv, dom: makeRange(cast(iv.var.dtype, start), cast(iv.var.dtype, sub(stop, start))) } : iv));
    const domains = new Map<AnyVar, Range>(iterVars.flatMap((iv) => (iv.dom ? [[iv.var, iv.dom] as const] : [])));
    const indices = plainAccesses(t.block.body);
    const region = (r: BufferRegion): BufferRegion => {
      const vars = indices.get(r.buffer);
      const ranges = vars?.map((v) => domains.get(v));
      return ranges === undefined || ranges.includes(undefined) ? r : { ...r, region: ranges as readonly Range[] };
    };
    return { ...t, block: { ...t.block, name, iterVars, reads: t.block.reads.map(region), writes: t.block.writes.map(region) } };
  };
  return visit(s);
}

/** The variables that index each buffer where it is first accessed by plain variables. */
function plainAccesses(body: Stmt): ReadonlyMap<Buffer, readonly AnyVar[]> {
  const out = new Map<Buffer, readonly AnyVar[]>();
  const note = (buffer: Buffer, indices: readonly PrimExpr[]): void => {
    const vars = indices.filter((i) => i.kind === "tir.Var" || i.kind === "tir.SizeVar");
    if (!out.has(buffer) && vars.length === indices.length) out.set(buffer, vars);
  };
  visitStmt(body, {
    stmt: (s) => (s.kind === "tir.BufferStore" ? note(s.buffer, s.indices) : undefined),
    expr: (e) => (e.kind === "tir.BufferLoad" ? note(e.buffer, e.indices) : undefined),
  });
  return out;
}
