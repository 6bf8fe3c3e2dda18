import { expect, test } from "vitest";
import { compute } from "@verticil/te";
import { add as addExpr, mul } from "@verticil/tir";
import { traced } from "./testing/traced.ts";
import {
  add,
  astype,
  callOp,
  divide,
  gelu,
  layerNorm,
  LayerNorm,
  matmul,
  multiply,
  permuteDims,
  relu,
  reshape,
  rmsNorm,
  scaledDotProductAttention,
  silu,
  sizeOf,
  softmax,
  spec,
  split,
  subtract,
  take,
  tensorExprOp,
  tensorExprOps,
  type ArgSpec,
  type Tensor,
} from "./index.ts";

const x = spec.tensor(["n", 8]);

test.each<[string, (x: Tensor) => Tensor]>([
  ["add", (t) => add(t, 1)],
  ["subtract", (t) => subtract(t, t)],
  ["multiply", (t) => multiply(2, t)],
  ["divide", (t) => divide(t, 2)],
  ["nn.softmax", (t) => softmax(t)],
  ["nn.silu", silu],
  ["nn.relu", relu],
  ["nn.gelu", gelu],
])("%s keeps the shape", (name, f) => expect(traced([x], f)).toEqual({ ops: [name], shape: "n,8" }));

test("operators that change the shape", () => {
  expect(traced([x, spec.tensor([8, 4])], (a, b) => matmul(a!, b!))).toEqual({ ops: ["matmul"], shape: "n,4" });
  expect(traced([x], (t) => permuteDims(t))).toEqual({ ops: ["permute_dims"], shape: "8,n" });
  expect(traced([x], (t) => reshape(t, [sizeOf(t, 0), 2, 4]))).toEqual({ ops: ["reshape"], shape: "n,2,4" });
  expect(traced([x], (t) => split(t, [2, 3], -1)[1]!)).toEqual({ ops: ["split"], shape: "n,1" });
  expect(traced([x, spec.tensor(["m"], "int32")], (t, i) => take(t!, i!, 0))).toEqual({ ops: ["take"], shape: "m,8" });
});

test("normalizations and attention take tensors or parameters", () => {
  const w = spec.tensor([8]);
  expect(traced([x, w], (t, g) => rmsNorm(t!, g!)).ops).toEqual(["nn.rms_norm"]);
  expect(traced([x, w], (t, g) => layerNorm(t!, g!, g!)).ops).toEqual(["nn.layer_norm"]);
  expect([...new LayerNorm(8).namedParameters()].map(([name]) => name)).toEqual(["weight", "bias"]);
  const heads = (tokens: string): ArgSpec => spec.tensor([1, tokens, 2, 4]);
  expect(traced([heads("n"), heads("m"), heads("m")], (q, k, v) => scaledDotProductAttention(q!, k!, v!, { causal: true }))).toEqual({ ops: ["nn.attention"], shape: "1,n,2,4" });
});

test("a type that the tensor has already changes nothing", () => {
  expect(traced([x], (t) => astype(add(t, 1), "float32")).ops).toEqual(["add"]);
  expect(traced([x], (t) => astype(t, "float16")).ops).toEqual(["astype"]);
});

test("computations of one tensor or several are tensor programs", () => {
  const twice = (t: Tensor): Tensor => tensorExprOp((a) => compute(a!.shape, (...i) => mul(a!.at(...i), 2)), "twice", [t]);
  expect(traced([x], twice)).toEqual({ ops: ["call_tir"], shape: "n,8" });
  const both = (t: Tensor): Tensor => {
    const [one, two] = tensorExprOps((a) => [1, 2].map((k) => compute(a!.shape, (...i) => addExpr(a!.at(...i), k))), "both", [t]);
    return subtract(one!, two!);
  };
  expect(traced([x], both)).toEqual({ ops: ["call_tir", "subtract"], shape: "n,8" });
});

test("what is called wrongly is said", () => {
  expect(() => traced([x], () => add(1, 2))).toThrow("One of the operands has to be a tensor of the trace");
  expect(() => traced([x], (t) => callOp("relax.nn.frobnicate", [t]) as Tensor)).toThrow("The operator `relax.nn.frobnicate` is not registered.");
  expect(() => traced([x], (t) => tensorExprOp((a) => [a!, a!].map((b) => compute(b.shape, (...i) => b.at(...i))), "two", [t]))).toThrow("`two` gives no single tensor.");
});
