import { expect, test } from "vitest";
import type { AttrMap } from "@verticil/ir-core";
import type { Expr } from "../ir/expr.ts";
import { makePrimValue, makeShapeExpr, makeTensorStructInfo, makeTuple, makeVar } from "../ir/make.ts";
import { identityOrder, type AxisOrder, type LayoutDecision } from "./layout-rule.ts";
import { layoutTable } from "./layout-table.ts";
import { opCall } from "./testing/run-op.ts";

const NHWC = [0, 2, 3, 1];
const x = (...shape: number[]): Expr => makeVar("x", makeTensorStructInfo(shape, "float32"));

/** What the rule decides where the listed operands are stored as NHWC. */
function decide(name: string, args: readonly Expr[], attrs: AttrMap, stored: readonly Expr[]): LayoutDecision | undefined {
  const call = opCall(name, args, attrs);
  const ndim = (e: Expr): number => ("structInfo" in e && e.structInfo?.kind === "relax.TensorStructInfo" ? e.structInfo.ndim : 0);
  const orderOf = (e: Expr): AxisOrder => (stored.includes(e) ? NHWC : identityOrder(ndim(e)));
  return layoutTable.get(`relax.${name}`)!(call, { desired: { "relax.nn.conv2d": ["NHWC", "HWIO"] }, orderOf, fits: () => true });
}

const a = x(1, 3, 8, 8);

test("conv2d takes the wanted layouts", () => {
  const d = decide("nn.conv2d", [a, x(4, 3, 3, 3)], {}, []);
  expect(d?.args).toEqual([NHWC, [2, 3, 1, 0]]);
  expect(d?.outputs).toEqual([NHWC]);
  expect(d?.attrs).toMatchObject({ data_layout: "NHWC", kernel_layout: "HWIO", out_layout: "NHWC" });
});

test("pooling and resizing follow, with the layout's name", () => {
  expect(decide("nn.max_pool2d", [a], { pool_size: 2 }, [a])?.attrs).toMatchObject({ layout: "NHWC", out_layout: "NHWC" });
  expect(decide("image.resize2d", [a, makeShapeExpr([4, 4])], {}, [a])?.attrs).toMatchObject({ layout: "NHWC" });
});

test("a binary operator brings the other operand into the same order", () => {
  const [b, channel, row, scalar] = [x(1, 3, 8, 8), x(3, 1, 1), x(8), x()];
  expect(decide("add", [a, b], {}, [a])?.args).toEqual([NHWC, NHWC]);
  expect(decide("add", [a, channel], {}, [a])?.args).toEqual([NHWC, [1, 2, 0]]);
  expect(decide("add", [a, scalar], {}, [a])?.args).toEqual([NHWC, []]);
  expect(decide("add", [a, row], {}, [a])).toBeUndefined();
});

test("axes move with the data", () => {
  expect(decide("nn.softmax", [a], { axis: 1 }, [a])?.attrs).toEqual({ axis: 3 });
  expect(decide("concat", [makeTuple([a, x(1, 3, 8, 8)])], { axis: 1 }, [a])).toMatchObject({ args: [NHWC, NHWC], attrs: { axis: 3 } });
  expect(decide("nn.pad", [a], { pad_width: [0, 0, 1, 1, 2, 2, 3, 3] }, [a])?.attrs).toMatchObject({ pad_width: [0, 0, 2, 2, 3, 3, 1, 1] });
  expect(decide("nn.prelu", [a, x(3)], { axis: 1 }, [a])?.attrs).toEqual({ axis: 3 });
});

test("a reduction leaves the order of what is left", () => {
  const mean = decide("mean", [a], { axis: [2, 3] }, [a]);
  expect(mean?.attrs).toMatchObject({ axis: [1, 2] });
  expect(mean?.outputs).toEqual([[0, 1]]);
  expect(decide("max", [a], { axis: [1] }, [a])?.outputs).toEqual([[0, 1, 2]]);
  expect(decide("mean", [a], { axis: [2, 3], keepdims: true }, [a])?.outputs).toEqual([NHWC]);
  expect(decide("squeeze", [x(1, 3, 1, 1)], { axis: [2] }, [])?.outputs).toEqual([[0, 1, 2]]);
});

test("a permutation of stored data is one permutation", () => {
  const d = decide("permute_dims", [a], { axes: [0, 2, 3, 1] }, [a]);
  expect(d?.attrs).toEqual({ axes: [0, 1, 2, 3] });
  expect(d?.outputs).toEqual([[0, 1, 2, 3]]);
});

test("strided_slice renames its axes", () => {
  const p = (v: number): Expr => makeTuple([makePrimValue(v)]);
  const d = decide("strided_slice", [a, p(1), p(0), p(2)], {}, [a]);
  expect(d?.callArgs?.get(1)).toEqual(p(3));
});

test("operands in the model's own order stay", () => {
  expect(decide("nn.relu", [a], {}, [])).toEqual({ args: [[0, 1, 2, 3]], outputs: [[0, 1, 2, 3]] });
});
