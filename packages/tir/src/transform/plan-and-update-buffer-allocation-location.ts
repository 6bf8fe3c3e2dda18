import type { Pass } from "@verticil/ir-core";
import { getBlockReadWriteRegion } from "../analysis/block-access-region.ts";
import { detectBufferAccessLca, type AccessPlace } from "../analysis/buffer-access-lca.ts";
import type { Buffer } from "../ir/buffer.ts";
import { visitStmt } from "../ir/visit.ts";
import { makeBlock, makeBlockRealize } from "../ir/make-stmt.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/**
 * Moves each allocation to the innermost loop or block that holds all accesses (upstream's
 * `PlanAndUpdateBufferAllocationLocation`). A loop gets a block around its body to carry it; buffers that nothing
 * touches disappear.
 */
export function planAndUpdateBufferAllocationLocation(): Pass {
  return primFuncPass("PlanAndUpdateBufferAllocationLocation", planAllocations);
}

function planAllocations(func: PrimFunc): PrimFunc {
  // A program that holds a statement twice holds its allocations twice; one of each is enough for both.
  const found = new Set<Buffer>();
  visitStmt(func.body, {
    expr: () => "skip",
    stmt: (s) => void (s.kind === "tir.Block" && s.allocBuffers.forEach((b) => found.add(b))),
  });
  const allocated = [...found];
  if (allocated.length === 0) return func;
  const lca = detectBufferAccessLca(func);
  const byPlace = new Map<AccessPlace, Buffer[]>();
  for (const b of allocated) {
    if (!lca.has(b)) continue;
    const place = lca.get(b);
    const list = byPlace.get(place);
    if (list === undefined) byPlace.set(place, [b]);
    else list.push(b);
  }
  const pointers = new Map([...allocated, ...func.bufferMap.values()].map((b) => [b.data, b]));
  const mapper: ChildMapper = {
    expr: (e) => e,
    stmt(s) {
      const here = byPlace.get(s.kind === "tir.Block" || s.kind === "tir.For" ? s : undefined);
      const mapped = mapStmtChildren(s, mapper);
      if (mapped.kind === "tir.Block") {
        const next = here ?? [];
        const same = next.length === mapped.allocBuffers.length && next.every((b, i) => b === mapped.allocBuffers[i]);
        return same ? mapped : { ...mapped, allocBuffers: next };
      }
      if (mapped.kind === "tir.For" && here !== undefined && s.kind === "tir.For") {
        return { ...mapped, body: carrier(mapped.body, here, pointers) };
      }
      return mapped;
    },
  };
  return withBody(func, mapper.stmt(func.body));
}

function carrier(body: Stmt, buffers: readonly Buffer[], pointers: ReadonlyMap<Buffer["data"], Buffer>): Stmt {
  const bare = makeBlock("", [], [], [], body, { allocBuffers: buffers });
  const { reads, writes } = getBlockReadWriteRegion(bare, pointers);
  return makeBlockRealize([], constant(1, "bool"), { ...bare, reads, writes });
}
