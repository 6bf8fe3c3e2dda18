import type { AttrValue } from "@verticil/ir-core";
import { Analyzer } from "../../arith/analyzer.ts";
import type { Range } from "../../ir/expr.ts";
import { makeRange } from "../../ir/make-expr.ts";
import { makeBufferRegion } from "../../ir/make-stmt.ts";
import { sub } from "../../ir/ops.ts";
import type { BlockRealize, IndexMap, Stmt } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import { mapIndices } from "../index-map.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** A declared region of the block replaced: `map` takes the block's variables to a begin and an end for each dimension. Marked so that later passes keep it. */
export function annotateBufferAccess(tree: FuncTree, realize: BlockRealize, index: number, side: "read" | "write", map: IndexMap): Outcome {
  const { block } = realize;
  const regions = side === "read" ? block.reads : block.writes;
  const old = regions[index];
  if (old === undefined) return refuse(`block \`${block.name}\` has no ${side} number ${index}`, block);
  const analyzer = new Analyzer();
  const ends = mapIndices(map, block.iterVars.map((iv) => iv.var), analyzer);
  if (ends.length !== 2 * old.buffer.shape.length) {
    return refuse(`\`${old.buffer.name}\` has ${old.buffer.shape.length} dimensions, the ranges ${ends.length / 2}`, block);
  }
  const ranges: Range[] = [];
  for (let i = 0; i + 1 < ends.length; i += 2) {
    const [begin, end] = [ends[i], ends[i + 1]];
    if (begin !== undefined && end !== undefined) ranges.push(makeRange(begin, analyzer.simplify(sub(end, begin))));
  }
  const changed = regions.map((r, i) => (i === index ? makeBufferRegion(r.buffer, ranges) : r));
  const key = side === "read" ? "explicit_read_region" : "explicit_write_region";
  const before = block.annotations[key];
  const marked: readonly AttrValue[] = Array.isArray(before) ? (before as readonly AttrValue[]) : [];
  const annotations = { ...block.annotations, [key]: marked.includes(index) ? marked : [...marked, index] };
  const next = side === "read" ? { ...block, annotations, reads: changed } : { ...block, annotations, writes: changed };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[block, next]])) };
}
