import {
  add,
  constant,
  loadsOf,
  makeIndexMap,
  makeVar,
  mul,
  usesVar,
  type Block,
  type BlockRV,
  type PrimExpr,
  type Schedule,
  type Var,
} from "@verticil/tir";
import { anchorShape, isOneRun } from "./anchor-shape.ts";
import { extentOf } from "./block-kind.ts";

/**
 * Neighbouring rows and lines made one axis where every operand goes on from the end of a line to the next without a
 * jump (an image under a 1×1 window is one list of pixels): tiles then cross the ends of lines, and 13 pixels in a line
 * leave no rest in each. The accumulators, which `carrier` takes on, are laid out accordingly.
 */
export function joinRows(sch: Schedule, anchor: BlockRV, carrier: BlockRV): void {
  for (;;) {
    const { block } = sch.get(anchor);
    const pair = joinable(block);
    const copy = sch.get(carrier).block;
    const result = block.writes[0]?.buffer;
    const load = loadsOf(copy).find((l) => l.buffer === result);
    if (pair === undefined || load === undefined || block.body.kind !== "tir.BufferStore") return;
    const places = pair.map((v) => (block.body.kind === "tir.BufferStore" ? block.body.indices.indexOf(v) : -1));
    const [first = -1, second = -1] = places;
    const others = places.map((i) => load.indices[i]);
    const [outer, inner] = others;
    const extent = extentOf(block, pair[1]);
    if (second !== first + 1 || outer?.kind !== "tir.Var" || inner?.kind !== "tir.Var" || extent === undefined) return;
    if (!isPlainCopy(copy, outer, inner)) return;
    sch.transformLayout(anchor, ["write", 0], (...i: readonly Var[]) => joined(i, first, extent));
    for (const [rv, list, at] of [[anchor, block.iterVars, pair[0]], [carrier, copy.iterVars, outer]] as const) {
      const place = list.findIndex((iv) => iv.var === at);
      const initial = list.map((iv) => makeVar(iv.var.name, iv.var.dtype));
      sch.transformBlockLayout(rv, makeIndexMap(initial, joined(initial, place, extent)));
    }
  }
}

/** True if a reduction has neighbouring axes that `joinRows` makes one. */
export function linesJoin(block: Block): boolean {
  return joinable(block) !== undefined;
}

/** Indices with numbers `at` and the next made one. */
function joined(indices: readonly Var[], at: number, extent: number): readonly PrimExpr[] {
  return indices.flatMap((v, i): readonly PrimExpr[] => {
    if (i === at + 1) return [];
    const next = indices[i + 1];
    return i === at && next !== undefined ? [add(mul(v, constant(extent, v.dtype)), next)] : [v];
  });
}

/** Two neighbouring variables that every operand that moves with them takes as one run, and the weight does not move with. */
function joinable(block: Block): readonly [Var, Var] | undefined {
  const shape = anchorShape(block);
  if (shape === undefined || shape.weight === undefined) return undefined;
  const { weight } = shape;
  const still = (v: Var): boolean => loadsOf(block).every((l) => l.buffer !== weight || !l.indices.some((i) => usesVar(i, v)));
  for (let i = shape.spatial.length - 3; i >= 0; i--) {
    const [outer, inner] = [shape.spatial[i], shape.spatial[i + 1]];
    if (outer === undefined || inner === undefined || !still(outer) || !still(inner)) continue;
    const [rows = 1, extent = 1] = [extentOf(block, outer), extentOf(block, inner)];
    const neighbours = block.iterVars.findIndex((iv) => iv.var === inner) === block.iterVars.findIndex((iv) => iv.var === outer) + 1;
    if (rows > 1 && extent > 1 && neighbours && isOneRun(block, outer, inner, extent)) return [outer, inner];
  }
  return undefined;
}

/** True if the block stores at the two variables side by side, and reads everything else without the two or with both so. */
function isPlainCopy(block: Block, outer: Var, inner: Var): boolean {
  const side = (indices: readonly PrimExpr[]): boolean => {
    const at = indices.findIndex((i) => usesVar(i, outer));
    const next = indices.findIndex((i) => usesVar(i, inner));
    return (at < 0 && next < 0) || (indices[at] === outer && indices[next] === inner && next === at + 1);
  };
  const order = block.iterVars.findIndex((iv) => iv.var === inner) === block.iterVars.findIndex((iv) => iv.var === outer) + 1;
  return order && block.body.kind === "tir.BufferStore" && side(block.body.indices) && loadsOf(block).every((l) => side(l.indices));
}
