import { at } from "@verticil/ir-core";
import { tensorExprOp, tensorExprOps, type Tensor } from "@verticil/relax/nn";
import { tensor } from "@verticil/runtime-ffi";
import { compute, type Tensor as TeTensor } from "@verticil/te";
import { add, cast, floorMod, intrin, lt, mul, select, sub, type PrimExpr } from "@verticil/tir";

/** The cosines and sines that rotary embeddings turn with: tensors `[tokens, headDim / 2]`, the same in every layer. */
export interface Rotation {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** The rotation of tokens at `positions`: feature pair `j` turns by `position · theta^(-2j / headDim)`. */
export function rotationAt(positions: Tensor, headDim: number, theta: number): Rotation {
  const frequencies = positions.constant(tensor(Float32Array.from({ length: headDim / 2 }, (_, j) => theta ** ((-2 * j) / headDim)), [headDim / 2]));
  const turn = (f: "cos" | "sin"): Tensor =>
    tensorExprOp(
      (...t) => {
        const [p, w] = [at(t, 0), at(t, 1)];
        return compute([at(p.shape, 0), at(w.shape, 0)], (...i) => intrin(f, "float32", [mul(cast("float32", p.at(at(i, 0))), w.at(at(i, 1)))]), f, { tag: "injective" });
      },
      `rotary_${f}`,
      [positions, frequencies],
    );
  return { cos: turn("cos"), sin: turn("sin") };
}

/** Queries, keys and values of a token's heads: `[tokens, heads, headDim]` each. */
export interface Heads {
  readonly queries: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
}

/**
 * Takes the rows `[tokens, (heads + 2 · keyHeads) · headDim]` of queries, keys and values apart, and turns the first two:
 * the halves of each head's features against each other.
 */
export function rotatedHeads(all: Tensor, { cos, sin }: Rotation, heads: number, keyHeads: number, headDim: number): Heads {
  const [queries, keys, values] = tensorExprOps(
    (...t) => {
      const [x, c, s] = [at(t, 0), at(t, 1), at(t, 2)];
      const part = (first: number, count: number, name: string, f: (read: (feature: PrimExpr) => PrimExpr, token: PrimExpr, feature: PrimExpr) => PrimExpr): TeTensor =>
        compute(
          [at(x.shape, 0), count, headDim],
          (...i) => {
            const [token, head, feature] = [at(i, 0), at(i, 1), at(i, 2)];
            return f((k) => x.at(token, add(mul(add(head, first), headDim), k)), token, feature);
          },
          name,
          { tag: "injective" },
        );
      const turned = (read: (feature: PrimExpr) => PrimExpr, token: PrimExpr, feature: PrimExpr): PrimExpr => {
        const half = headDim / 2;
        const pair = floorMod(feature, half);
        const [low, high] = [read(pair), read(add(pair, half))];
        const [u, v] = [c.at(token, pair), s.at(token, pair)];
        return select(lt(feature, half), sub(mul(low, u), mul(high, v)), add(mul(high, u), mul(low, v)));
      };
      return [part(0, heads, "queries", turned), part(heads, keyHeads, "keys", turned), part(heads + keyHeads, keyHeads, "values", (read, _, feature) => read(feature))];
    },
    "rotated_heads",
    [all, cos, sin],
  );
  if (queries === undefined || keys === undefined || values === undefined) throw new Error("internal: three parts");
  return { queries, keys, values };
}
