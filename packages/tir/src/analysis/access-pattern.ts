import type { BufferLoad, PrimExpr, Var } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { asInt } from "../ir/ops.ts";
import type { Block } from "../ir/stmt.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";

/**
 * The coefficient of `v` in an index that is a sum, or undefined if `v` is in it in another way. `v // c` counts as 0
 * and `v % c` as 1 if `c` is a multiple of `aligned`: within an aligned run of that many values they do.
 */
export function strideIn(index: PrimExpr, v: Var, aligned = 0): number | undefined {
  switch (index.kind) {
    case "tir.Var":
      return index === v ? 1 : 0;
    case "ir.IntImm":
      return 0;
    case "tir.Add":
    case "tir.Sub": {
      const a = strideIn(index.a, v, aligned);
      const b = strideIn(index.b, v, aligned);
      if (a === undefined || b === undefined) return undefined;
      return index.kind === "tir.Add" ? a + b : a - b;
    }
    case "tir.Mul": {
      const left = asInt(index.a);
      const right = asInt(index.b);
      if (right !== undefined) return scaled(strideIn(index.a, v, aligned), right);
      if (left !== undefined) return scaled(strideIn(index.b, v, aligned), left);
      return usesVar(index, v) ? undefined : 0;
    }
    case "tir.FloorDiv": {
      const divisor = asInt(index.b);
      if (aligned > 0 && index.a === v && divisor !== undefined && divisor % aligned === 0) return 0;
      return usesVar(index, v) ? undefined : 0;
    }
    case "tir.FloorMod": {
      const divisor = asInt(index.b);
      if (aligned > 0 && index.a === v && divisor !== undefined && divisor % aligned === 0) return 1;
      return usesVar(index, v) ? undefined : 0;
    }
    default:
      return usesVar(index, v) ? undefined : 0;
  }
}

function scaled(a: number | undefined, k: number): number | undefined {
  return a === undefined ? undefined : a * k;
}

/** How an access moves with a variable: not at all, along contiguous memory, or otherwise. */
export type Movement = "still" | "contiguous" | "strided";

/** How an access moves in memory when `v` grows by one; the buffer is taken to be compact. `aligned` as in `strideIn`. */
export function movementOf(indices: readonly PrimExpr[], v: Var, aligned = 0): Movement {
  const last = indices.length - 1;
  let moves = false;
  for (const [i, index] of indices.entries()) {
    const stride = strideIn(index, v, aligned);
    if (stride === 0) continue;
    if (stride !== 1 || i !== last) return "strided";
    moves = true;
  }
  return moves ? "contiguous" : "still";
}

/** The loads in a block's body, in order, that read what the block does not write. */
export function loadsOf(block: Block): readonly BufferLoad[] {
  const written = new Set(block.writes.map((w) => w.buffer));
  const out: BufferLoad[] = [];
  visitStmt(block.body, {
    expr(e) {
      if (e.kind === "tir.BufferLoad" && !written.has(e.buffer)) out.push(e);
      return undefined;
    },
  });
  return out;
}

/**
 * True if four neighbouring values of `v` can be computed as one vector: every access stays or moves along contiguous
 * memory, and no condition or other scalar-only expression depends on `v`.
 */
export function isVectorizable(block: Block, v: Var): boolean {
  const { body } = block;
  if (body.kind !== "tir.BufferStore" || movementOf(body.indices, v) !== "contiguous") return false;
  let good = true;
  visitExpr(body.value, (e) => {
    if (!good || e === v) {
      good = false;
      return "skip";
    }
    if (e.kind === "tir.BufferLoad") {
      if (movementOf(e.indices, v) === "strided") good = false;
      return "skip";
    }
    const condition = e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" ? e.args[0] : undefined;
    if (condition !== undefined && usesVar(condition, v)) good = false;
    return undefined;
  });
  return good;
}

/** How far an access moves in memory, in elements, when `v` grows by one; undefined if that varies or is not known. */
export function distanceOf(load: BufferLoad, v: Var): number | undefined {
  let stride = 1;
  let distance = 0;
  for (let d = load.indices.length - 1; d >= 0; d--) {
    const index = load.indices[d];
    const step = index && strideIn(index, v);
    if (step === undefined) return undefined;
    distance += step * stride;
    stride *= asInt(load.buffer.shape[d] ?? load.indices[0] ?? v) ?? NaN;
  }
  return Number.isNaN(distance) ? undefined : distance;
}
