import type { ScheduleRule } from "@verticil/dlight";
import { makeGlobalVar, makeIRModule } from "@verticil/ir-core";
import { asInt, isConstInt, Schedule, ScheduleError, usesVar, visitExpr, type Block, type BlockRV, type BufferLoad, type LoopRV, type PrimFunc, type Var } from "@verticil/tir";

/** Lanes of a wasm vector of 32-bit values. */
const LANES = 4;
/** Rows whose sums are built side by side: they share the loads of the vector. */
const ROWS = 4;

/**
 * Products of a matrix whose rows lie in memory as they are, `[out, in]`, with one vector: what decoding a token is made
 * of where weights are quantized. The sum of a row runs in four lanes, which are added at its end; an epilogue is
 * computed on the sums. Takes nothing else.
 */
export const gemv: ScheduleRule = {
  name: "llm.GEMV",
  apply: (func) => {
    if (func.body.kind !== "tir.BlockRealize") return undefined;
    try {
      return schedule(func, func.body.block.name);
    } catch (e) {
      if (e instanceof ScheduleError) return undefined;
      throw e;
    }
  },
};

/** A product with one vector: its row variable, and the reductions from outermost to innermost. */
interface Gemv {
  readonly row: Var;
  readonly reduction: readonly Var[];
}

function schedule(func: PrimFunc, root: string): PrimFunc | undefined {
  const sch = new Schedule(makeIRModule(new Map([[makeGlobalVar("main"), func]])));
  const blocks = sch.getChildBlocks(sch.getBlock(root, "main"));
  const products = blocks.filter((rv) => isReduction(sch.get(rv).block));
  const [product] = products;
  if (product === undefined || products.length !== 1) return undefined;
  const shape = gemvOf(sch.get(product).block);
  if (shape === undefined) return undefined;
  const epilogue = prepare(sch, blocks, product);
  if (epilogue === "other") return undefined;
  tile(sch, product, shape, epilogue);
  return sch.funcOf(product);
}

function isReduction(block: Block): boolean {
  return block.init !== undefined;
}

/** What a reduction is as a product with one vector; undefined if it is none, or its rows do not lie in memory as lanes read them. */
function gemvOf(block: Block): Gemv | undefined {
  const { body } = block;
  if (body.kind !== "tir.BufferStore") return undefined;
  const spatial = block.iterVars.filter((iv) => iv.iterType === "kDataPar" && !(iv.dom && isConstInt(iv.dom.extent, 1)));
  const reduction = block.iterVars.filter((iv) => iv.iterType === "kCommReduce");
  const [row] = spatial;
  const inner = reduction[reduction.length - 1];
  if (row?.dom === undefined || inner?.dom === undefined || spatial.length !== 1) return undefined;
  const width = asInt(inner.dom.extent);
  if (width === undefined || width % LANES !== 0 || asInt(row.dom.extent) === undefined) return undefined;
  const loads: BufferLoad[] = [];
  visitExpr(body.value, (e) => {
    if (e.kind === "tir.BufferLoad" && e.buffer !== body.buffer) loads.push(e);
    return undefined;
  });
  const lanes = loads.every((l) => l.indices.every((index, i) => !usesVar(index, inner.var) || i === l.indices.length - 1));
  const matrix = loads.some((l) => l.indices.some((i) => i === row.var) && l.indices.some((i) => usesVar(i, inner.var)));
  return lanes && matrix ? { row: row.var, reduction: reduction.map((iv) => iv.var) } : undefined;
}

/** Brings the function to the product and at most one block that reads it, which is given back; `other` if it has more. */
function prepare(sch: Schedule, blocks: readonly BlockRV[], product: BlockRV): BlockRV | undefined | "other" {
  const own = sch.get(product).block;
  for (const rv of blocks) {
    if (sch.get(rv).block !== own && sch.getConsumers(rv).length > 0) sch.computeInline(rv);
  }
  const readers = sch.getConsumers(product);
  return readers.length > 1 ? "other" : readers[0];
}

function tile(sch: Schedule, product: BlockRV, shape: Gemv, epilogue: BlockRV | undefined): void {
  const realize = sch.get(product);
  const loops = sch.getLoops(product);
  const loopOf = (v: Var): LoopRV => {
    const value = realize.iterValues[realize.block.iterVars.findIndex((iv) => iv.var === v)];
    const found = loops.find((l) => value === sch.get(l).loopVar);
    if (found === undefined) throw new Error("internal: each variable of a fresh block is a loop");
    return found;
  };
  const reduction = shape.reduction.map(loopOf);
  const row = loopOf(shape.row);
  const extent = asInt(sch.get(row).extent) ?? 1;
  const rows = [ROWS, 2, 1].find((n) => extent % n === 0) ?? 1;
  const inner = reduction[reduction.length - 1] ?? row;
  const [steps, lane] = pair(sch.split(inner, [undefined, LANES]));
  const [outer, within] = pair(sch.split(row, [undefined, rows]));
  sch.reorder([outer, ...reduction.slice(0, -1), steps, within, lane]);
  const partial = sch.rfactor(lane, sch.get(product).block.writes[0]?.buffer.shape.length ?? 0);
  sch.setScope(partial, 0, "local");
  const depth = sch.getLoops(product).findIndex((l) => sch.get(l) === sch.get(outer));
  sch.computeAt(partial, outer);
  sumLanes(sch, partial, depth + 1);
  if (epilogue !== undefined) {
    sch.setScope(product, 0, "local");
    sch.reverseComputeAt(epilogue, outer);
  }
  for (const rv of [product, ...(epilogue === undefined ? [] : [epilogue])]) for (const l of sch.getLoops(rv).slice(depth + 1)) sch.unroll(l);
}

/** The four partial sums of each row: reductions outside, rows unrolled in them, the lanes a vector. */
function sumLanes(sch: Schedule, partial: BlockRV, depth: number): void {
  const { block, iterValues } = sch.get(partial);
  const loops = sch.getLoops(partial).slice(depth);
  const loopsOf = (choose: (v: Var) => boolean): readonly LoopRV[] => {
    const values = block.iterVars.flatMap((iv, i) => (choose(iv.var) ? [iterValues[i]] : []));
    return loops.filter((l) => values.some((v) => v !== undefined && usesVar(v, sch.get(l).loopVar)));
  };
  const { body } = block;
  const reduction = loopsOf((v) => block.iterVars.some((iv) => iv.var === v && iv.iterType === "kCommReduce"));
  const [lane] = loopsOf((v) => body.kind === "tir.BufferStore" && body.indices[body.indices.length - 1] === v);
  const [first] = reduction;
  if (lane === undefined || first === undefined) throw new Error("internal: partial sums have lanes and reductions");
  const rows = loops.filter((l) => l !== lane && !reduction.includes(l));
  sch.reorder([...reduction, ...rows, lane]);
  for (const l of rows) sch.unroll(l);
  sch.vectorize(lane);
  sch.decomposeReduction(partial, first);
}

function pair(loops: readonly LoopRV[]): readonly [LoopRV, LoopRV] {
  const [a, b] = loops;
  if (a === undefined || b === undefined) throw new Error("internal: a loop is split in two");
  return [a, b];
}
