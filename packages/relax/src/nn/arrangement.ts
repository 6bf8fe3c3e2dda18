import { makePrimValue, makeShapeExpr, makeTuple, type Dim } from "../ir/make.ts";
import { exprOp, permuteDims, scopeOf, split, tensorOp } from "./ops.ts";
import type { Tensor } from "./value.ts";

// The same elements in other shapes and orders, by the names of upstream's `nn.op`.

/** A new dimension of size 1 at `dim`. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  return tensorOp("relax.expand_dims", [x], { axis: [dim] }, "unsqueeze");
}

/** Without the dimension `axis`, whose size is 1. */
export function squeeze(x: Tensor, axis = -1): Tensor {
  return tensorOp("relax.squeeze", [x], { axis: [axis] }, "squeeze");
}

/** Tensors one after the other along `dim`. @throws TypeError if there are none. */
export function concat(tensors: readonly Tensor[], dim: number): Tensor {
  return exprOp(scopeOf(tensors), "relax.concat", [makeTuple(tensors.map((t) => t.expr))], { axis: dim }, "concat");
}

/** As many parts of one size along `dim`. */
export function chunk(x: Tensor, chunks: number, dim = 0): readonly Tensor[] {
  return split(x, chunks, dim);
}

/** Each slice of `axis` so many times; of all elements in a row unless an axis is told. */
export function repeat(x: Tensor, repeats: number, axis?: number): Tensor {
  return tensorOp("relax.repeat", [x], { repeats, axis: axis ?? null }, "repeat");
}

/** Repeated along its dimensions of size 1 to a shape. */
export function broadcastTo(x: Tensor, shape: readonly Dim[]): Tensor {
  return exprOp(x.scope, "relax.broadcast_to", [x.expr, makeShapeExpr(shape)], {}, "broadcast_to");
}

/** `permuteDims` by PyTorch's name. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  return permuteDims(x, axes);
}

/** With `pad[2k]` elements of `value` before and `pad[2k + 1]` after the `k`-th dimension, beginning with the first. */
export function pad(x: Tensor, padding: readonly number[], value = 0, mode: "constant" | "reflect" | "replicate" | "circular" = "constant"): Tensor {
  return tensorOp("relax.nn.pad", [x], { pad_width: [...padding], pad_value: value, pad_mode: mode }, "pad");
}

/** Zeros below the diagonal, counted from the main one upwards. */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return exprOp(x.scope, "relax.triu", [x.expr, makePrimValue(diagonal)], {}, "triu");
}

