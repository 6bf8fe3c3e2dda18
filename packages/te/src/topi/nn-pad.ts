import { at } from "@verticil/ir-core";
import { add, allOf, constant, floorMod, ge, ifThenElse, isConstInt, lt, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { int } from "./transform.ts";

/** `x` with a border of `value`: `before[i]` cells before axis `i` and `after[i]` after it. */
export function pad(
  x: Tensor,
  before: readonly PrimExpr[],
  after: readonly PrimExpr[],
  value: PrimExpr = constant(0, x.dtype),
  name = "PadInput",
): Tensor {
  const shape = x.shape.map((d, i) => add(add(d, at(before, i)), at(after, i)));
  return compute(
    shape,
    (...i) => {
      const conditions: PrimExpr[] = [];
      const indices = i.map((v, d) => {
        const front = at(before, d);
        if (!isConstInt(front, 0)) conditions.push(ge0(v, front));
        if (!isConstInt(at(after, d), 0)) conditions.push(lt(v, add(at(x.shape, d), front)));
        return sub(v, front);
      });
      const inner = x.at(...indices);
      return conditions.length === 0 ? inner : ifThenElse(allOf(conditions), inner, value);
    },
    name,
    { axes: "i", tag: "injective,pad" },
  );
}

/** `front <= v`, spelled as upstream does. */
function ge0(v: PrimExpr, front: PrimExpr): PrimExpr {
  return { kind: "tir.LE", dtype: "bool", a: front, b: v };
}

/** How a border mirrors what is inside: with the edge repeated once (`symmetric`), not at all, by the edge alone, or around. */
export type PadMode = "reflect" | "symmetric" | "replicate" | "circular";

/** `x` with a border made of its own cells. */
export function padMode(x: Tensor, before: readonly PrimExpr[], after: readonly PrimExpr[], mode: PadMode): Tensor {
  const shape = x.shape.map((d, i) => add(add(d, at(before, i)), at(after, i)));
  return compute(
    shape,
    (...i) =>
      x.at(
        ...i.map((v, d) => {
          const padded = !isConstInt(at(before, d), 0) || !isConstInt(at(after, d), 0);
          return padded ? mirrored(sub(v, at(before, d)), at(x.shape, d), mode) : v;
        }),
      ),
    mode === "reflect" || mode === "symmetric" ? "MirrorPadInput" : mode === "replicate" ? "ReplicatePadInput" : "CircularPadInput",
    { axes: "i", tag: "injective,pad" },
  );
}

function mirrored(v: PrimExpr, size: PrimExpr, mode: PadMode): PrimExpr {
  const zero = constant(0, v.dtype);
  const last = sub(size, int(1));
  switch (mode) {
    case "circular":
      return floorMod(v, size);
    case "replicate":
      return select(lt(v, zero), zero, select(ge(v, size), last, v));
    case "reflect":
      return select(lt(v, zero), sub(zero, v), select(ge(v, size), sub(add(last, last), v), v));
    case "symmetric":
      return select(lt(v, zero), sub(sub(zero, v), int(1)), select(ge(v, size), sub(add(size, last), v), v));
  }
}
