import type { BlockRealize, For } from "../../ir/stmt.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { isConstInt } from "../../ir/ops.ts";
import { consumersOf } from "../block-relations.ts";
import { childBlocks, type FuncTree } from "../func-tree.ts";
import { PrimitiveRefused } from "../schedule-error.ts";
import { computeAt } from "./compute-at.ts";
import { computeInline } from "./compute-inline.ts";

/** Where a block may be computed: -2 inlined, -1 where it is, else under the loop with that number around its first consumer. */
export interface ComputeLocation {
  readonly index: number;
  readonly loop: For | undefined;
}

/** The places that are worth trying, in order, each found when it is asked for (upstream's `CollectComputeLocation`). */
export function* computeLocations(tree: FuncTree, realize: BlockRealize, from = -2): Generator<ComputeLocation, void> {
  if (from <= -2 && applies(() => computeInline(tree, realize))) yield { index: -2, loop: undefined };
  if (from <= -1) yield { index: -1, loop: undefined };
  const consumers = consumersOf(tree, realize);
  const [first] = consumers;
  if (first === undefined) return;
  const shared = tree.loopsOf(first).filter((l) => consumers.every((c) => tree.contains(l, c)));
  const kinds = shared.map((l) => isSpatialLoop(l));
  const lastSpatial = kinds.lastIndexOf(true);
  let afterReduction = false;
  for (const [i, loop] of shared.entries()) {
    if (isConstInt(loop.extent, 1)) continue;
    if (kinds[i] === true) {
      if (afterReduction) break;
    } else {
      afterReduction = true;
      if (i > lastSpatial) break;
    }
    if (i >= from && applies(() => computeAt(tree, realize, loop, { preserveUnitLoops: true, index: -1 }))) yield { index: i, loop };
  }
}

function applies(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (e) {
    if (e instanceof PrimitiveRefused) return false;
    throw e;
  }
}

/** True if the loop drives spatial variables only, and some. */
function isSpatialLoop(loop: For): boolean {
  let spatial = 0;
  let other = 0;
  for (const realize of childBlocks(loop)) {
    realize.iterValues.forEach((v, i) => {
      if (!usesVar(v, loop.loopVar)) return;
      if (realize.block.iterVars[i]?.iterType === "kDataPar") spatial++;
      else other++;
    });
  }
  return spatial > 0 && other === 0;
}
