import { Analyzer } from "../arith/analyzer.ts";
import type { BufferRegion } from "../ir/buffer.ts";
import type { Range } from "../ir/expr.ts";
import { add, constant, sub } from "../ir/ops.ts";
import type { Block } from "../ir/stmt.ts";

/** True if two regions of one buffer share no element for any values of their blocks' variables, as constant bounds show. */
export function areApart(a: Block, first: BufferRegion, b: Block, second: BufferRegion): boolean {
  if (first.buffer !== second.buffer) return true;
  return first.region.some((r, i) => {
    const other = second.region[i];
    if (other === undefined) return false;
    const x = boundsOver(a, r);
    const y = boundsOver(b, other);
    return x.max < y.min || y.max < x.min;
  });
}

function boundsOver(block: Block, r: Range): { readonly min: number; readonly max: number } {
  const analyzer = new Analyzer();
  for (const iv of block.iterVars) if (iv.dom !== undefined) analyzer.bind(iv.var, iv.dom);
  const last = sub(add(r.min, r.extent), constant(1, r.min.dtype));
  return { min: Number(analyzer.constIntBound(r.min).min), max: Number(analyzer.constIntBound(analyzer.simplify(last)).max) };
}
