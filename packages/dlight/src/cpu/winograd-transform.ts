import { asInt, type BlockRV, type LoopRV } from "@verticil/tir";
import { beginWork, funcOf, stages, type Stage, type Work } from "../loop-sites.ts";
import { makeRule } from "../make-rule.ts";
import type { ScheduleRule } from "../schedule-rule.ts";
import { scheduleAll } from "./schedule-all.ts";
import { lanes, parallelOuter } from "./schedule-injective.ts";

/**
 * The transforms of a Winograd convolution, which `schedule_rule` of a block names as upstream's do: a tile at a time, four
 * channels to a vector, all steps of a transform written out over vectors that stay where they are.
 */
export const winogradTransform: ScheduleRule = /* @__PURE__ */ makeRule("WinogradTransform", (work, target) => {
  const named = stages(work).find((s) => typeof s.block.annotations["schedule_rule"] === "string");
  const rule = named?.block.annotations["schedule_rule"];
  const parallel = target.kind === "wasm";
  if (named === undefined) return undefined;
  if (rule === "conv2d_nhwc_winograd_data_pack") return packTiles(work, named, parallel);
  return rule === "conv2d_nhwc_winograd_inverse" ? unpackTiles(work, named, parallel) : undefined;
});

/** `data_pack` and the steps before it; a padded copy of the image comes first. */
function packTiles(work: Work, last: Stage, parallel: boolean): Work | undefined {
  const { sch } = work;
  const all = stages(work);
  const padded = all.filter((s) => s.block.name === "data_pad");
  const steps = all.filter((s) => s.block !== last.block && !padded.includes(s));
  const [tile, row, column, channel] = sch.getLoops(last.rv);
  if (tile === undefined || row === undefined || column === undefined || channel === undefined) return undefined;
  const [outer, inner] = sch.split(channel, [undefined, lanes]);
  if (outer === undefined || inner === undefined) return undefined;
  sch.reorder([tile, outer, row, column, inner]);
  writeOut(work, steps, last.rv, outer, 2);
  if (parallel) parallelOuter(work, [tile, outer]);
  return scheduleAll(work, new Set(padded.map((s) => s.block.name)), parallel);
}

/** The steps up to `inverse`, and what takes the image on from there. */
function unpackTiles(work: Work, inverse: Stage, parallel: boolean): Work | undefined {
  const { sch } = work;
  const all = stages(work);
  const steps = all.slice(0, all.findIndex((s) => s.block === inverse.block) + 1);
  const after = all.slice(steps.length);
  const image = after.at(-1);
  if (image === undefined) return undefined;
  for (const s of after.slice(0, -1)) sch.computeInline(s.rv);
  const tileSize = inverse.block.writes[0]?.buffer.shape[1];
  const size = tileSize && asInt(tileSize);
  const [batch, height, width, channel] = sch.getLoops(image.rv);
  if (size === undefined || batch === undefined || height === undefined || width === undefined || channel === undefined) return undefined;
  const [down, row] = sch.split(height, [undefined, size]);
  const [across, column] = sch.split(width, [undefined, size]);
  const [outer, inner] = sch.split(channel, [undefined, lanes]);
  if (down === undefined || row === undefined || across === undefined || column === undefined || outer === undefined || inner === undefined) return undefined;
  sch.reorder([batch, down, across, outer, row, column, inner]);
  writeOut(work, steps, image.rv, outer, 4);
  if (parallel) parallelOuter(work, [batch, down, across, outer]);
  return beginWork(funcOf(work));
}

/** Computes the steps under `loop`, where their results stay in locals, and writes the loops of all blocks below it out. */
function writeOut(work: Work, steps: readonly Stage[], last: BlockRV, loop: LoopRV, depth: number): void {
  const { sch } = work;
  for (const s of [...steps].reverse()) {
    sch.computeAt(s.rv, loop);
    sch.setScope(s.rv, 0, "local");
  }
  for (const rv of [...steps.map((s) => s.rv), last]) {
    const loops = sch.getLoops(rv).slice(depth);
    loops.forEach((l, i) => {
      if (i === loops.length - 1) sch.vectorize(l);
      else sch.unroll(l);
    });
  }
}
