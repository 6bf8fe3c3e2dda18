import { makeBuffer, makeSeq, renewDefs, replaceBuffers, scopeOf, type Buffer, type PrimFunc, type Stmt, type Var } from "@verticil/tir";
import { alignConditions } from "./align-conditions.ts";
import { combinations, holdsBlock, restrictNest } from "./restrict-nest.ts";
import type { Cut } from "./tile-cuts.ts";

/** A reduction and the block that carries its result on, by name, with the axes of the result that are cut. */
export interface StageToCut {
  readonly anchor: string;
  readonly carrier: string;
  /** What the anchor writes and the carrier reads, and nobody else. */
  readonly buffer: Buffer;
  readonly axes: readonly AxisCuts[];
}

/** The runs along one axis, with the variables that walk it in the two blocks. */
export interface AxisCuts {
  readonly anchorVar: Var;
  /** The place of `anchorVar` among the variables of its block. */
  readonly position: number;
  readonly carrierVar: Var;
  readonly cuts: readonly Cut[];
}

/** One copy of the stage: its blocks' names and the run it takes along each axis. */
export interface StagePart {
  readonly anchor: string;
  readonly carrier: string;
  readonly cuts: readonly Cut[];
}

/**
 * The stage made once for each combination of runs, each with a buffer of its own between its two blocks, so that each
 * can be tiled without guards. Undefined if the blocks are not in plain loops of the function's root block.
 */
export function partitionStage(func: PrimFunc, stage: StageToCut): { readonly func: PrimFunc; readonly parts: readonly StagePart[] } | undefined {
  const { body } = func;
  if (body.kind !== "tir.BlockRealize") return undefined;
  const root = body.block;
  const items = root.body.kind === "tir.SeqStmt" ? root.body.seq : [root.body];
  const anchorAt = items.findIndex((s) => holdsBlock(s, stage.anchor));
  const carrierAt = items.findIndex((s) => holdsBlock(s, stage.carrier));
  const anchor = items[anchorAt];
  const carrier = items[carrierAt];
  if (anchor === undefined || carrier === undefined || anchor === carrier) return undefined;

  const made: Stmt[] = [];
  const parts: StagePart[] = [];
  const buffers: Buffer[] = [];
  for (const [i, cuts] of combinations(stage.axes.map((a) => a.cuts)).entries()) {
    const suffix = i === 0 ? "" : `_${i}`;
    const own = makeBuffer(`${stage.buffer.name}${suffix}`, stage.buffer.shape, stage.buffer.dtype, { scope: scopeOf(stage.buffer) });
    const restricted = [
      { nest: anchor, name: stage.anchor, vars: stage.axes.map((a) => a.anchorVar) },
      { nest: carrier, name: stage.carrier, vars: stage.axes.map((a) => a.carrierVar) },
    ].map(({ nest, name, vars }) => {
      const runs = new Map<Var, Cut>();
      vars.forEach((v, k) => {
        const cut = cuts[k];
        if (cut !== undefined) runs.set(v, cut);
      });
      const s = restrictNest(nest, name, `${name}${suffix}`, runs);
      return s && renewDefs(replaceBuffers(s, new Map([[stage.buffer, own]])));
    });
    const [a, c] = restricted;
    if (a === undefined || c === undefined) return undefined;
    made.push(a, alignConditions(c));
    buffers.push(own);
    parts.push({ anchor: `${stage.anchor}${suffix}`, carrier: `${stage.carrier}${suffix}`, cuts });
  }
  const seq = items.flatMap((s, i) => (i === anchorAt ? made : i === carrierAt ? [] : [s]));
  const allocBuffers = root.allocBuffers.flatMap((b) => (b === stage.buffer ? buffers : [b]));
  const block = { ...root, body: makeSeq(seq), allocBuffers };
  return { func: { ...func, body: { ...body, block } }, parts };
}
