import { constant, floorDiv, floorMod, loadsOf, makeIndexMap, makeVar, movementOf, usesVar, type Block, type Buffer, type BufferLoad, type IndexMap, type PrimFunc, type Var } from "@verticil/tir";
import { attempt, beginWork, funcOf, isReduction, stages } from "../loop-sites.ts";
import { extentOf } from "../reduction-shape.ts";

/** Lanes of the packed operand that lie side by side: the width of a register tile with several rows, and of one alone. */
const sharedLanes = 8;
const aloneLanes = 32;

/**
 * The weight of a convolution or a product stored as the register tile walks it: for each tile of results the
 * reduction in order, neighbours side by side, so that one stream of memory feeds the inner loop. Gives the program
 * for the packed weight, which parameter it is, and where its elements go; undefined where nothing is gained: no
 * reduction whose one operand is a parameter that serves all rows, or fewer results than a tile has.
 */
export function packOperand(func: PrimFunc): { readonly func: PrimFunc; readonly param: number; readonly indexMap: IndexMap } | undefined {
  const work = beginWork(func);
  if (work === undefined) return undefined;
  for (const stage of stages(work)) {
    const found = isReduction(stage.block) ? packable(stage.block) : undefined;
    if (found === undefined) continue;
    const param = func.params.findIndex((p) => func.bufferMap.get(p) === found.buffer);
    const readers = stages(work).filter((s) => s.block.reads.some((r) => r.buffer === found.buffer));
    const read = stage.block.reads.findIndex((r) => r.buffer === found.buffer);
    if (param < 0 || readers.length !== 1 || read < 0) continue;
    if (!attempt(() => work.sch.transformLayout(stage.rv, ["read", read], found.indexMap, { assumeInjectiveTransform: true }))) continue;
    return { func: funcOf(work), param, indexMap: found.indexMap };
  }
  return undefined;
}

/** The operand that moves with the last index of the result, and misses another one; with its packed layout. */
function packable(block: Block): { readonly buffer: Buffer; readonly indexMap: IndexMap } | undefined {
  const { body } = block;
  const lane = body.kind === "tir.BufferStore" ? body.indices.at(-1) : undefined;
  if (body.kind !== "tir.BufferStore" || lane?.kind !== "tir.Var") return undefined;
  const loads = loadsOf(block);
  const weights = loads.filter((l) => l.indices.some((i) => usesVar(i, lane)));
  const [weight] = weights;
  if (weight === undefined || weights.length !== 1 || loads.length < 2) return undefined;
  const rows = body.indices.filter((i): i is Var => i.kind === "tir.Var" && i !== lane && (extentOf(block, i) ?? 1) > 1);
  const isShared = rows.some((v) => !weight.indices.some((i) => usesVar(i, v)));
  const tile = isShared ? sharedLanes : aloneLanes;
  if ((!isShared && rows.length > 0) || (extentOf(block, lane) ?? 0) < tile) return undefined;
  const indexMap = packedLayout(block, weight, lane, tile);
  return indexMap && { buffer: weight.buffer, indexMap };
}

/**
 * `[batch][lane // tile][the other indices][lane % tile]`: the indices that the result has too, of which each value is a weight
 * of its own, then the others in the order of the reduction's loops. Where 16-bit
 * integers are summed up in 32 bits the innermost, `k`, is cut: `[…][k // 2][lane % tile][k % 2]`, as `dp2a` takes pairs.
 */
function packedLayout(block: Block, weight: BufferLoad, lane: Var, tile: number): IndexMap | undefined {
  const initial = weight.indices.map((index, d) => makeVar(index.kind === "tir.Var" ? index.name : `i${d}`, index.dtype));
  const at = weight.indices.findIndex((i) => i === lane);
  const packed = initial[at];
  const once = weight.indices.filter((i) => usesVar(i, lane)).length === 1;
  if (packed === undefined || !once) return undefined;
  const loopOf = (d: number): number => block.iterVars.findIndex((iv) => weight.indices[d] === iv.var);
  const others = initial.flatMap((v, d) => (d === at ? [] : [{ v, loop: loopOf(d) }])).sort((a, b) => a.loop - b.loop);
  const factor = constant(tile, packed.dtype);
  const isBatch = (loop: number): boolean => block.iterVars[loop]?.iterType === "kDataPar";
  const batch = others.filter((o) => isBatch(o.loop)).map((o) => o.v);
  const walked = others.filter((o) => !isBatch(o.loop));
  const last = walked.at(-1);
  const tail = floorMod(packed, factor);
  if (last !== undefined && isPaired(block, weight, last.loop)) {
    const two = constant(2, last.v.dtype);
    return makeIndexMap(initial, [...batch, floorDiv(packed, factor), ...walked.slice(0, -1).map((o) => o.v), floorDiv(last.v, two), tail, floorMod(last.v, two)]);
  }
  return makeIndexMap(initial, [...batch, floorDiv(packed, factor), ...walked.map((o) => o.v), tail]);
}

/** True if the reduction's innermost variable walks pairs of 16-bit integers of both operands, whose products are summed up in 32 bits. */
function isPaired(block: Block, weight: BufferLoad, loop: number): boolean {
  const iv = block.iterVars[loop];
  const innermost = block.iterVars.findLast((x) => x.iterType === "kCommReduce");
  const others = loadsOf(block).filter((l) => l !== weight);
  if (iv === undefined || iv !== innermost || (extentOf(block, iv.var) ?? 1) % 2 === 1) return false;
  if (block.writes[0]?.buffer.dtype !== "int32" || (weight.buffer.dtype !== "int8" && weight.buffer.dtype !== "int16")) return false;
  return others.length === 1 && others.every((l) => l.buffer.dtype === "int16" && movementOf(l.indices, iv.var) === "contiguous");
}
