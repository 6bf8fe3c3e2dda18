import { Analyzer } from "../../arith/analyzer.ts";
import { evalRegionSets, evalSet } from "../../arith/eval-set.ts";
import { coverRange, intervalSet, intSetOfRange, type IntSet } from "../../arith/int-set.ts";
import { getBlockReadWriteRegion } from "../../analysis/block-access-region.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range } from "../../ir/expr.ts";
import { makeBinary, makeRange } from "../../ir/make-expr.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../../ir/map-children.ts";
import { and, asInt, cast, constant, ge, isConstInt, lt, or } from "../../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { bindingsOf, consumersOf, requireNotOutput, scopeBlocks, scopeRoot } from "../block-relations.ts";
import { childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** How the window moves over one axis: by which loop, and how many elements of the last position it still needs. */
interface AxisRoll {
  readonly loop: AnyVar | undefined;
  readonly overlap: number;
}

interface Rolling {
  readonly before: Buffer;
  readonly after: Buffer;
  readonly axis: number;
  readonly extent: PrimExpr;
  readonly rolls: readonly AxisRoll[];
}

/**
 * A buffer that a sliding window goes over made circular along one axis, so that what the window still needs stays in it
 * and each element is computed once.
 */
export function rollingBuffer(tree: FuncTree, realize: BlockRealize, index: number): Outcome {
  const { block } = realize;
  const region = block.writes[index];
  if (region === undefined) return refuse(`block \`${block.name}\` has no write number ${index}`, block);
  const scope = scopeRoot(tree, realize);
  if (childBlocks(block.body).length > 0) refuse(`block \`${block.name}\` holds other blocks`, block, "Roll the buffer before the block is blockized.");
  requireNotOutput(tree, realize);
  requireOnlyReads(tree, realize);
  const users = [...consumersOf(tree, realize), realize];
  const lca = tree.ancestors(realize).find((s) => (s.kind === "tir.For" || s.kind === "tir.Block") && users.every((u) => tree.contains(s, u)));
  if (lca?.kind !== "tir.For") {
    return refuse(`the accesses of \`${region.buffer.name}\` are not under one loop`, block, "Move the block under a loop of its consumers first, with `computeAt`.");
  }
  const loops = tree.loopsOf(realize);
  const dom = new Map<AnyVar, IntSet>();
  for (const l of loops.slice(loops.indexOf(lca) + 1)) dom.set(l.loopVar, intSetOfRange(makeRange(l.min, l.extent)));
  const sets = evalRegionSets(substitute(region, bindingsOf(realize)).region, dom);
  const window = region.buffer.shape.map((extent, i) => {
    const whole = makeRange(constant(0, "int32"), extent);
    const set = sets[i];
    return set === undefined ? whole : coverRange(set, whole, new Analyzer());
  });
  const rolling = findRolling(region.buffer, window, loops.map((l) => l.loopVar), block);
  requireOwnAxes(block, region, rolling);
  const body = roll(scope.block, rolling);
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope.block, body]])) };
}

/** Refuses if the block overwrites, or is overwritten by, another one, or is read before it. */
function requireOnlyReads(tree: FuncTree, realize: BlockRealize): void {
  const written = new Set(realize.block.writes.map((w) => w.buffer));
  const read = new Set(realize.block.reads.map((r) => r.buffer));
  const all = scopeBlocks(tree, realize);
  const at = all.indexOf(realize);
  all.forEach((b, i) => {
    if (b === realize) return;
    const overwrites = b.block.writes.some((w) => written.has(w.buffer) || (i > at && read.has(w.buffer)));
    const readBefore = i < at && b.block.reads.some((r) => written.has(r.buffer));
    if (overwrites || readBefore) refuse(`blocks \`${realize.block.name}\` and \`${b.block.name}\` depend on each other by more than reading what was written`, [realize.block, b.block]);
  });
}

/** Refuses unless the block writes one element an iteration, with its variables as indices on the axes that the window moves over. */
function requireOwnAxes(block: Block, region: BufferRegion, { rolls }: Rolling): void {
  const fits = region.region.every((r, i) => (rolls[i]?.loop === undefined || r.min === block.iterVars[i]?.var) && isConstInt(r.extent, 1));
  if (!fits) refuse(`block \`${block.name}\` does not write single elements of \`${region.buffer.name}\` at its own variables`, block, "Each variable of the block must be the index of the axis at its place.");
}

function findRolling(buffer: Buffer, window: readonly Range[], loops: readonly AnyVar[], block: Block): Rolling {
  const rolls = window.map((r): AxisRoll => {
    const step = stepOf(r.min);
    if (step === undefined) return refuse(`\`${buffer.name}\` is not gone over by a sliding window`, [block, r.min], "Each index must be a loop times a stride.");
    if (step.loop === undefined) return { loop: undefined, overlap: 0 };
    const extent = asInt(r.extent) ?? refuse(`the window over \`${buffer.name}\` has no constant size`, block);
    const overlap = extent - step.stride;
    return { loop: overlap > 0 ? step.loop : undefined, overlap };
  });
  const outermost = loops.find((v) => rolls.some((r) => r.loop === v));
  const axis = rolls.findIndex((r) => r.loop !== undefined && r.loop === outermost);
  const extent = window[axis]?.extent;
  if (axis < 0 || extent === undefined) return refuse(`no positions of the window over \`${buffer.name}\` overlap`, block);
  const after: Buffer = { ...buffer, shape: buffer.shape.map((d, i) => (i === axis ? extent : d)) };
  return { before: buffer, after, axis, extent, rolls };
}

/** An index as a loop times a stride, which may be fractional: `v`, `v * s`, `v * s // d`, or a constant. */
function stepOf(e: PrimExpr): { readonly loop: AnyVar | undefined; readonly stride: number } | undefined {
  if (e.kind === "ir.IntImm") return { loop: undefined, stride: 0 };
  if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return { loop: e, stride: 1 };
  if (e.kind === "tir.Mul" && (e.a.kind === "tir.Var" || e.a.kind === "tir.SizeVar")) {
    const stride = asInt(e.b);
    return stride === undefined ? undefined : { loop: e.a, stride };
  }
  if (e.kind !== "tir.FloorDiv") return undefined;
  const inner = stepOf(e.a);
  const divisor = asInt(e.b);
  return inner === undefined || divisor === undefined || divisor <= 0 || e.a.kind !== "tir.Mul" ? undefined : { loop: inner.loop, stride: Math.ceil(inner.stride / divisor) };
}

function roll(scope: Block, rolling: Rolling): Block {
  const { before, after, axis, extent } = rolling;
  const through = (indices: readonly PrimExpr[]): readonly PrimExpr[] =>
    indices.map((e, i) => (i === axis ? makeBinary("tir.FloorMod", e, cast(e.dtype, extent)) : e));
  let stored = false;
  const mapper: ChildMapper = {
    expr(e) {
      const x = mapExprChildren(e, mapper);
      return x.kind === "tir.BufferLoad" && x.buffer === before ? { ...x, buffer: after, indices: through(x.indices) } : x;
    },
    stmt(s): Stmt {
      const t = s.kind === "tir.Block" ? withRegions(s, mapStmtChildren({ ...s, reads: [], writes: [], allocBuffers: [] }, mapper)) : mapStmtChildren(s, mapper);
      if (t.kind === "tir.BufferStore" && t.buffer === before) {
        stored = true;
        return { ...t, buffer: after, indices: through(t.indices) };
      }
      if (t.kind === "tir.Block") return s === scope ? { ...t, allocBuffers: t.allocBuffers.map((b) => (b === before ? after : b)) } : rolledBlock(t, rolling);
      if (t.kind !== "tir.BlockRealize" || !stored) return t;
      stored = false;
      return { ...t, predicate: onceOnly(t, rolling) };
    },
  };
  const out = mapper.stmt(scope);
  if (out.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  return out;
}

function withRegions(old: Block, mapped: Stmt): Stmt {
  return mapped.kind === "tir.Block" ? { ...mapped, reads: old.reads, writes: old.writes, allocBuffers: old.allocBuffers } : mapped;
}

/** The block's regions found anew; along the rolling axis its iterations depend on each other. */
function rolledBlock(block: Block, { before, after, axis }: Rolling): Block {
  const found = getBlockReadWriteRegion(block, new Map([[after.data, after]]));
  const renew = (list: readonly BufferRegion[], by: readonly BufferRegion[]): readonly BufferRegion[] =>
    list.map((r) => (r.buffer === before ? (by.find((x) => x.buffer === after) ?? { ...r, buffer: after }) : r));
  const touches = [...block.reads, ...block.writes].some((r) => r.buffer === before);
  // A reduction variable stays one: without it the init would run in each iteration.
  const rolled = (iv: IterVar, i: number): boolean => i === axis && iv.iterType !== "kCommReduce";
  const iterVars = touches ? block.iterVars.map((iv, i) => (rolled(iv, i) ? { ...iv, iterType: "kOpaque" as const } : iv)) : block.iterVars;
  return { ...block, iterVars, reads: renew(block.reads, found.reads), writes: renew(block.writes, found.writes) };
}

/** The first position of the window is computed in full, later ones only what is new. */
function onceOnly(realize: BlockRealize, { rolls }: Rolling): PrimExpr {
  const analyzer = new Analyzer();
  let condition = realize.predicate;
  rolls.forEach(({ loop, overlap }, i) => {
    const value = realize.iterValues[i];
    if (loop === undefined || overlap <= 0 || value === undefined) return;
    const zero = constant(0, loop.dtype);
    const at = evalSet(value, new Map<AnyVar, IntSet>([[loop, intervalSet(zero, zero)]]), analyzer);
    const first = at.tag === "interval" && at.min !== undefined ? at.min : value;
    condition = analyzer.simplify(and(condition, or(lt(loop, 1), ge(first, overlap))));
  });
  return condition;
}
