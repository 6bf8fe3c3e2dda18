import { at } from "@verticil/ir-core";
import { tensorExprOp, type Tensor } from "@verticil/relax/nn";
import { tensor } from "@verticil/runtime-ffi";
import { compute, type Tensor as TeTensor } from "@verticil/te";
import { add, cast, constant, floorMod, intrin, lt, mul, select, sub, type PrimExpr } from "@verticil/tir";

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

/** Turns the halves of each head's features against each other: `x` is `[tokens, heads, headDim]`. */
export function rotate(x: Tensor, { cos, sin }: Rotation): Tensor {
  return tensorExprOp((...t) => rotated(at(t, 0), at(t, 1), at(t, 2)), "rotary_embedding", [x, cos, sin]);
}

function rotated(x: TeTensor, cos: TeTensor, sin: TeTensor): TeTensor {
  const half = at(cos.shape, 1);
  return compute(
    x.shape,
    (...i) => {
      const [token, head, feature] = [at(i, 0), at(i, 1), at(i, 2)];
      const pair = floorMod(feature, half);
      const first = lt(feature, half);
      const other: PrimExpr = x.at(token, head, select(first, add(feature, half), sub(feature, half)));
      const turned = mul(other, select(first, constant(-1, "float32"), constant(1, "float32")));
      return add(mul(x.at(token, head, feature), cos.at(token, pair)), mul(turned, sin.at(token, pair)));
    },
    "rotary_embedding",
    { tag: "injective" },
  );
}
