import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { cast, constant, isConstInt, mul, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastShape } from "./broadcast.ts";
import { axisOf } from "./transform.ts";

/** The product of matrices, vectors or stacks of matrices, after NumPy's rules. */
export function matmul(a: Tensor, b: Tensor, outDType?: ScalarDType): Tensor {
  const rows = a.ndim > 1;
  const columns = b.ndim > 1;
  const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const shape = [...batch, ...(rows ? [at(a.shape, a.ndim - 2)] : []), ...(columns ? [at(b.shape, b.ndim - 1)] : [])];
  const k = reduceAxis(at(a.shape, a.ndim - 1), "k");
  const stackAt = (t: Tensor, i: readonly PrimExpr[]): readonly PrimExpr[] =>
    t.shape.slice(0, -2).map((d, n) => (isConstInt(d, 1) ? constant(0, d.dtype) : at(i, n - (t.ndim - 2) + batch.length)));
  return compute(
    shape,
    (...i) => {
      const left = a.at(...stackAt(a, i), ...(rows ? [at(i, batch.length)] : []), k.var);
      const right = b.at(...stackAt(b, i), k.var, ...(columns ? [at(i, i.length - 1)] : []));
      const [x, y] = outDType === undefined ? [left, right] : [cast(outDType, left), cast(outDType, right)];
      return sum(mul(x, y), k);
    },
    "matmul",
    { axes: "i", tag: "matmul" },
  );
}

/** An `einsum` of tensors: one list of labels an operand, and the output's. */
export function einsum(tensors: readonly Tensor[], inputs: readonly (readonly string[])[], output: readonly string[]): Tensor {
  const sizes = new Map<string, PrimExpr>();
  tensors.forEach((t, i) => {
    at(inputs, i).forEach((label, d) => {
      const known = sizes.get(label);
      if (known === undefined || isConstInt(known, 1)) sizes.set(label, at(t.shape, d));
    });
  });
  const sizeOf = (label: string): PrimExpr => sizes.get(label) ?? constant(1, "int64");
  const summed = [...sizes.keys()].filter((label) => !output.includes(label)).toSorted();
  const vars = new Map(summed.map((label) => [label, reduceAxis(sizeOf(label), `k${label}`)]));
  return compute(
    output.map(sizeOf),
    (...i) => {
      const position = (label: string): PrimExpr => vars.get(label)?.var ?? at(i, output.indexOf(label));
      const factors = tensors.map((t, n) => t.at(...at(inputs, n).map((label, d) => (isConstInt(at(t.shape, d), 1) ? constant(0, "int64") : position(label)))));
      const product = factors.slice(1).reduce<PrimExpr>((acc, f) => mul(acc, f), at(factors, 0));
      return sum(product, [...vars.values()]);
    },
    "T_einsum",
    { axes: "ax" },
  );
}

/** The sum of products over pairs of axes, `axes[0]` of `a` against `axes[1]` of `b`; the other axes stay in order. */
export function tensordot(a: Tensor, b: Tensor, axes: readonly [readonly number[], readonly number[]]): Tensor {
  const [ours, theirs] = [axes[0].map((d) => axisOf(d, a.ndim)), axes[1].map((d) => axisOf(d, b.ndim))];
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} axes cannot be summed against ${theirs.length}.`);
  const label = (t: string, d: number, own: readonly number[]): string => (own.includes(d) ? `s${own.indexOf(d)}` : `${t}${d}`);
  const left = a.shape.map((_, d) => label("a", d, ours));
  const right = b.shape.map((_, d) => label("b", d, theirs));
  return einsum([a, b], [left, right], [...left, ...right].filter((l) => !l.startsWith("s")));
}
