import { Analyzer } from "../../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBuffer, makeBufferStore, makeFor, makeSeq, scopeOf } from "../../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../../ir/map-children.ts";
import { and, ceilDiv, constant, ifThenElse, isConstInt, lt, mul } from "../../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../../ir/stmt.ts";
import { alwaysRuns, scopeRoot } from "../block-relations.ts";
import { pointsOf } from "../cache-stage.ts";
import { childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * The domains of a contraction's variables padded to multiples of `padding`: operands are copied to larger buffers filled
 * up with zeros, the result is copied back from one.
 */
export function padEinsum(tree: FuncTree, realize: BlockRealize, padding: readonly number[]): Outcome {
  const { block } = realize;
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  if (padding.length !== block.iterVars.length || padding.some((p) => !Number.isInteger(p) || p <= 0)) {
    return refuse(`[${padding.join(", ")}] is not a padding of the ${block.iterVars.length} variables of block \`${block.name}\``, block, "Give one positive integer for each variable.");
  }
  requireEinsum(block);
  // What a block leaves as it is would be overwritten when the padded buffer is copied back.
  if (!alwaysRuns(realize)) refuse(`block \`${block.name}\` has a predicate`, [realize.predicate, block], "Pad before loops are split into parts that do not fit.");
  const analyzer = new Analyzer();
  const extents = new Map<AnyVar, PrimExpr>();
  const loopExtents = new Map<AnyVar, PrimExpr>();
  block.iterVars.forEach((iv, i) => {
    const extent = iv.dom?.extent;
    if (extent === undefined) return;
    const padded = analyzer.simplify(mul(ceilDiv(extent, padding[i] ?? 1), padding[i] ?? 1));
    if (analyzer.canProveEqual(padded, extent)) return;
    if (iv.iterType === "kCommReduce") requireZeroIsNeutral(block);
    extents.set(iv.var, padded);
    const value = realize.iterValues[i];
    if (value?.kind === "tir.Var") {
      extents.set(value, padded);
      loopExtents.set(value, padded);
    } else refuse(`\`${iv.var.name}\` of block \`${block.name}\` is not bound to a loop of its own, which could be padded`, [realize.block], "Pad before loops are fused or split.");
  });
  const items = scope.block.body.kind === "tir.SeqStmt" ? scope.block.body.seq : [scope.block.body];
  const at = items.findIndex((s) => tree.contains(s, realize));
  const item = items[at];
  if (item === undefined) return refuse(`block \`${block.name}\` is not in the body of its scope`, block);
  for (const l of tree.loopsOf(realize)) {
    if (childBlocks(l).length > 1) refuse(`loop \`${l.loopVar.name}\` holds other blocks too`, [l, block], "The loops must be around this block alone.");
  }
  const needs = (r: BufferRegion): boolean => r.region.some((d) => d.min.kind === "tir.Var" && extents.has(d.min));
  const buffers = new Map<Buffer, Buffer>();
  const copies = (regions: readonly BufferRegion[], isRead: boolean): readonly Stmt[] =>
    regions.filter(needs).map((r) => {
      requireWhole(block, r, analyzer);
      const padded = paddedBuffer(r, extents);
      buffers.set(r.buffer, padded);
      return copyNest(r.buffer, padded, isRead, analyzer);
    });
  const before = copies(block.reads, true);
  const after = copies(block.writes, false);
  const body = makeSeq([...items.slice(0, at), ...before, widen(item, buffers, extents, loopExtents), ...after, ...items.slice(at + 1)]);
  const next = { ...scope.block, body, allocBuffers: [...scope.block.allocBuffers, ...buffers.values()] };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope.block, next]])) };
}

/** Refuses unless each buffer is touched once, at variables and constants. */
function requireEinsum(block: Block): void {
  const all = [...block.reads, ...block.writes];
  const once = new Set(all.map((r) => r.buffer)).size === all.length;
  const own = new Set<unknown>(block.iterVars.map((iv) => iv.var));
  const plain = all.every((r) => r.region.every((d) => isConstInt(d.extent, 1) && (own.has(d.min) || d.min.kind === "ir.IntImm")));
  if (!once || !plain) refuse(`block \`${block.name}\` is not a contraction`, block, "It must touch each buffer once, each index being one of its variables or a constant.");
}

/** Refuses unless the block walks the whole buffer: the copy to the padded buffer, or back, is of all its elements. */
function requireWhole(block: Block, { buffer, region }: BufferRegion, analyzer: Analyzer): void {
  region.forEach((d, i) => {
    const size = buffer.shape[i] ?? constant(1, d.min.dtype);
    const dom = block.iterVars.find((iv) => iv.var === d.min)?.dom;
    const whole = dom === undefined ? isConstInt(size, 1) : isConstInt(dom.min, 0) && analyzer.canProveEqual(dom.extent, size);
    if (!whole) refuse(`block \`${block.name}\` walks a part of buffer \`${buffer.name}\` only`, block, "Pad the block before its domain is cut, or a copy of the part.");
  });
}

/** Refuses unless what is added to the sum is zero where the operands are: else padding a reduction would change it. */
function requireZeroIsNeutral(block: Block): void {
  const bad = (): never => refuse(`padding a reduction of block \`${block.name}\` with zeros would change its result`, block, "Only sums of products can be padded along a reduction.");
  const { body, init } = block;
  if (body.kind !== "tir.BufferStore" || init?.kind !== "tir.BufferStore") return bad();
  const zero = (init.value.kind === "ir.IntImm" || init.value.kind === "ir.FloatImm") && Number(init.value.value) === 0;
  if (!zero || body.value.kind !== "tir.Add") return bad();
  const { a, b } = body.value;
  const isOwn = (e: PrimExpr): boolean => e.kind === "tir.BufferLoad" && e.buffer === body.buffer;
  if (!(isOwn(a) ? vanishes(b) : isOwn(b) && vanishes(a))) bad();
}

/** True if the expression is zero where all that it loads is. */
function vanishes(e: PrimExpr): boolean {
  switch (e.kind) {
    case "tir.BufferLoad":
      return true;
    case "tir.Cast":
      return vanishes(e.value);
    case "tir.Mul":
      return vanishes(e.a) || vanishes(e.b);
    case "tir.Add":
    case "tir.Sub":
      return vanishes(e.a) && vanishes(e.b);
    default:
      return false;
  }
}

function paddedBuffer(region: BufferRegion, extents: ReadonlyMap<AnyVar, PrimExpr>): Buffer {
  const { buffer } = region;
  const shape = region.region.map((d, i) => {
    if (d.min.kind !== "tir.Var") return constant(1, d.min.dtype);
    return extents.get(d.min) ?? buffer.shape[i] ?? constant(1, d.min.dtype);
  });
  return makeBuffer(`${buffer.name}_pad`, shape, buffer.dtype, { scope: scopeOf(buffer) });
}

function copyNest(buffer: Buffer, padded: Buffer, isRead: boolean, analyzer: Analyzer): Stmt {
  const shape = isRead ? padded.shape : buffer.shape;
  const iterVars = shape.map((d, i) => makeIterVar(makeRange(constant(0, d.dtype), d), makeVar(`v${i}`, d.dtype), "kDataPar"));
  const indices = iterVars.map((iv) => iv.var);
  const [from, to] = isRead ? [buffer, padded] : [padded, buffer];
  let value: PrimExpr = makeBufferLoad(from, indices);
  if (isRead) {
    let inside: PrimExpr = constant(1, "bool");
    buffer.shape.forEach((d, i) => {
      const [index, other] = [indices[i], padded.shape[i]];
      if (index !== undefined && other !== undefined && !analyzer.canProveEqual(d, other)) inside = and(inside, lt(index, d));
    });
    value = ifThenElse(inside, value, constant(0, value.dtype));
  }
  const block = makeBlock(padded.name, iterVars, [pointsOf(from, indices)], [pointsOf(to, indices)], makeBufferStore(to, value, indices));
  const loops = shape.map((d, i) => makeVar(`i${i}`, d.dtype));
  return shape.reduceRight<Stmt>((s, d, i) => makeFor(loops[i] ?? makeVar("i"), constant(0, d.dtype), d, s), makeBlockRealize(loops, constant(1, "bool"), block));
}

/** The nest over the padded domains and buffers. */
function widen(item: Stmt, buffers: ReadonlyMap<Buffer, Buffer>, extents: ReadonlyMap<AnyVar, PrimExpr>, loopExtents: ReadonlyMap<AnyVar, PrimExpr>): Stmt {
  const region = (r: BufferRegion): BufferRegion => ({ ...r, buffer: buffers.get(r.buffer) ?? r.buffer });
  const mapper: ChildMapper = {
    expr: (e) => mapExprChildren(e, mapper),
    buffer: (b) => buffers.get(b) ?? b,
    stmt(s): Stmt {
      if (s.kind === "tir.Block") {
        const t = mapStmtChildren({ ...s, reads: [], writes: [], allocBuffers: [] }, mapper);
        if (t.kind !== "tir.Block") return t;
        const iterVars = s.iterVars.map((iv) => {
          const extent = extents.get(iv.var);
          return extent === undefined || iv.dom === undefined ? iv : { ...iv, dom: makeRange(iv.dom.min, extent) };
        });
        return { ...t, iterVars, reads: s.reads.map(region), writes: s.writes.map(region), allocBuffers: s.allocBuffers };
      }
      const t = mapStmtChildren(s, mapper);
      const extent = t.kind === "tir.For" ? loopExtents.get(t.loopVar) : undefined;
      return t.kind === "tir.For" && extent !== undefined ? { ...t, extent } : t;
    },
  };
  return mapper.stmt(item);
}
