import { contextEntry, irDialect, passContext, runPass, type IRModule } from "@verticil/ir-core";
import { elementCount, isTensor, isTuple, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { compute } from "@verticil/te";
import { constant, mul, tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, test } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { gradientTable } from "../op/gradient/index.ts";
import { relaxOps } from "../op/index.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax, type RelaxValue } from "../vm/interpret-relax.ts";
import { gradient, teGradientsKey, type GradientOptions, type TeGradient } from "./gradient.ts";
import { legalizeOps, legalizeTableKey } from "./legalize-ops.ts";

const dialects = [irDialect, tir, relax];
const ctx = passContext({ dialects, entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A module of `main`, whose loss is the sum of the squares of `y` that `lines` compute. */
function lossModule(params: Shapes, lines: readonly string[]): IRModule {
  const signature = Object.entries(params).map(([name, shape]) => `${name}: R.Tensor((${shape.map((n) => `${n},`).join(" ")}), "float64")`);
  const body = [...lines, "q = R.multiply(y, y)", "loss = R.sum(q)", "R.output(loss)"].map((l) => `            ${l}`);
  const text = `@I.ir_module\nclass Module:\n    @R.function\n    def main(${signature.join(", ")}):\n        with R.dataflow():\n${body.join("\n")}\n        return loss\n`;
  return parse(text, { dialects: [tir, relax] });
}

function adjointOf(module: IRModule, opts: GradientOptions = {}): IRModule {
  return runPass(legalizeOps(), runPass(gradient("main", opts), module, ctx), ctx);
}

function numbers(value: RelaxValue | undefined): number[] {
  if (!isTensor(value)) throw new Error("a tensor was expected");
  return Array.from(value.data as Float64Array);
}

/** Distinct values in 0.2 to 0.9: inside the domain of all functions here, no two the same. */
function inputs(params: Shapes, shift = 0): Tensor[] {
  let next = 0;
  return Object.values(params).map((shape) =>
    tensorFrom(Array.from({ length: elementCount(shape) }, () => shift + 0.2 + (((next++ * 29) % 97) / 97) * 0.7), shape, "float64"),
  );
}

/** Holds every gradient to the difference of the losses at two near points. */
function checkGradients(params: Shapes, lines: readonly string[], shift = 0): void {
  const module = adjointOf(lossModule(params, lines));
  const at = inputs(params, shift);
  const loss = (args: readonly Tensor[]): number => numbers(interpretRelax(module, args))[0] ?? NaN;
  const result = interpretRelax(module, at, { entry: "main_adjoint" });
  if (!isTuple(result)) throw new Error("a tuple was expected");
  const [value, grads] = result;
  expect(numbers(value)[0]).toBe(loss(at));
  const step = 1e-5;
  Object.keys(params).forEach((name, p) => {
    const got = numbers(isTuple(grads) ? grads[p] : undefined);
    const differences = got.map((_, i) => {
      const moved = (by: number): Tensor[] => at.map((t, j) => (j === p ? tensorFrom(numbers(t).map((x, k) => (k === i ? x + by : x)), t.shape, "float64") : t));
      return (loss(moved(step)) - loss(moved(-step))) / (2 * step);
    });
    got.forEach((g, i) => expect(Math.abs(g - (differences[i] ?? NaN)), `d/d${name}[${i}]: ${g} and ${differences[i]}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(g))));
  });
}

const unary = "abs acos asin asinh atan atanh cos cosh erf exp log negative rsqrt sigmoid sin sinh sqrt square tan tanh nn.gelu nn.silu nn.relu nn.leakyrelu".split(" ");
const binary = "add subtract multiply divide power maximum minimum".split(" ");

describe("gradients are what finite differences say", () => {
  test.each(unary)("%s", (name) => checkGradients({ x: [2, 3] }, [`y = R.${name}(x)`]));
  test("acosh", () => checkGradients({ x: [3] }, ["y = R.acosh(x)"], 1.5));
  test.each(["nn.relu", "nn.leakyrelu", "abs"])("%s of what is partly negative", (name) => checkGradients({ x: [2, 3] }, [`y = R.${name}(x)`], -0.55));
  test.each(binary)("%s, both of one shape", (name) => checkGradients({ a: [2, 3], b: [2, 3] }, [`y = R.${name}(a, b)`]));
  test.each(binary)("%s, one repeated", (name) => checkGradients({ a: [2, 3], b: [2, 1] }, [`y = R.${name}(a, b)`]));
  test.each(["sum", "mean", "variance", "max", "min"])("%s", (name) => {
    checkGradients({ x: [2, 3, 2] }, [`y = R.${name}(x, axis=[1])`]);
    checkGradients({ x: [2, 3] }, [`y = R.${name}(x, axis=[-1], keepdims=True)`]);
    checkGradients({ x: [2, 3] }, [`y = R.${name}(x)`]);
  });
  test.each([
    ["permute_dims", "R.permute_dims(x, axes=[2, 0, 1])"],
    ["permute_dims", "R.permute_dims(x)"],
    ["expand_dims", "R.expand_dims(x, axis=[1])"],
    ["reshape", "R.reshape(x, (4, 3))"],
    ["flatten", "R.flatten(x)"],
    ["cumsum", "R.cumsum(x, axis=1)"],
    ["cumsum", "R.cumsum(x)"],
    ["flip", "R.flip(x, axis=1)"],
    ["broadcast_to", "R.broadcast_to(x, (2, 2, 3, 2))"],
    ["triu", "R.triu(x)"],
    ["tril", "R.tril(x)"],
    ["astype", 'R.astype(x, dtype="float64")'],
    ["nn.softmax", "R.nn.softmax(x, axis=1)"],
    ["nn.log_softmax", "R.nn.log_softmax(x)"],
  ])("%s: %s", (_, text) => checkGradients({ x: [2, 3, 2] }, [`y = ${text}`]));
  test("squeeze", () => checkGradients({ x: [2, 1, 2] }, ["y = R.squeeze(x, axis=[1])"]));
  test("where and the comparisons", () => {
    for (const name of ["greater", "greater_equal", "less", "less_equal"]) checkGradients({ a: [2, 3], b: [2, 3] }, [`c = R.${name}(a, b)`, "y = R.where(c, a, b)"]);
    for (const name of ["equal", "not_equal"]) checkGradients({ a: [2, 3], b: [1, 3] }, [`c = R.${name}(a, a)`, "y = R.where(c, a, b)"]);
  });
  test("concat and split", () => {
    checkGradients({ a: [2, 3], b: [2, 1] }, ["y = R.concat((a, b), axis=1)"]);
    checkGradients({ x: [2, 5] }, ["s = R.split(x, indices_or_sections=[2], axis=1)", "t = s[1]", "y = R.exp(t)"]);
  });
  test("matmul of matrices, stacks and vectors", () => {
    checkGradients({ a: [2, 3], b: [3, 2] }, ["y = R.matmul(a, b)"]);
    checkGradients({ a: [2, 2, 3], b: [3, 2] }, ["y = R.matmul(a, b)"]);
    checkGradients({ a: [3], b: [2, 3, 2] }, ["y = R.matmul(a, b)"]);
    checkGradients({ a: [2, 3], b: [3] }, ["y = R.matmul(a, b)"]);
    checkGradients({ a: [3], b: [3] }, ["y = R.matmul(a, b)"]);
  });
  test("cross_entropy_with_logits", () => {
    checkGradients({ a: [2, 3], b: [2, 3] }, ["y = R.nn.cross_entropy_with_logits(a, b)"]);
    checkGradients({ a: [3], b: [3] }, ["y = R.nn.cross_entropy_with_logits(a, b)"]);
  });
  test("conv2d", () => {
    checkGradients({ x: [1, 2, 4, 4], w: [2, 2, 3, 3] }, ["y = R.nn.conv2d(x, w, padding=[1, 1, 1, 1])"]);
    checkGradients({ x: [2, 1, 6, 5], w: [2, 1, 2, 2] }, ["y = R.nn.conv2d(x, w, strides=[2, 2], padding=[0, 1, 0, 1])"]);
    checkGradients({ x: [1, 1, 6, 6], w: [1, 1, 2, 2] }, ["y = R.nn.conv2d(x, w, dilation=[2, 2])"]);
  });
  test("pooling", () => {
    checkGradients({ x: [1, 2, 4, 4] }, ["y = R.nn.max_pool2d(x, pool_size=[2, 2], strides=[2, 2])"]);
    checkGradients({ x: [1, 1, 4, 4] }, ["y = R.nn.avg_pool2d(x, pool_size=[2, 2], strides=[1, 1])"]);
  });
  test("take", () =>
    checkGradients({ x: [4, 2] }, ['i = R.const([2, 0, 2], "int32")', "y = R.take(x, i, axis=0)"]));
  test("nll_loss", () =>
    checkGradients({ x: [3, 2] }, ['i = R.const([1, 0, 1], "int64")', 'y = R.nn.nll_loss(x, i, reduction="mean")']));
  test("what makes values of its own takes no gradient", () => {
    for (const text of ["R.zeros_like(x)", "R.ones_like(x)", 'R.ones((2, 2), "float64")', 'R.zeros((2, 2), "float64")']) checkGradients({ x: [2, 2] }, [`c = ${text}`, "y = R.add(x, c)"]);
    checkGradients({ x: [2, 2] }, ['v = R.const(2, "float64")', 'c = R.full((2, 2), v, dtype="float64")', "d = R.full_like(x, v)", "e = R.add(c, d)", "y = R.multiply(x, e)"]);
  });
  test("a value that is used twice gets the sum", () => checkGradients({ x: [3] }, ["e = R.exp(x)", "f = R.sin(e)", "y = R.multiply(e, f)"]));
});

test("upstream's 52 gradients are here", () => {
  const upstream = "add subtract multiply divide power maximum minimum equal greater greater_equal less less_equal not_equal zeros_like ones_like full_like zeros ones full triu abs cos exp log negative sigmoid sin sqrt tanh sum mean variance permute_dims concat split expand_dims reshape cumsum broadcast_to take where matmul astype nn.relu nn.silu nn.softmax nn.log_softmax nn.cross_entropy_with_logits nn.nll_loss nn.conv2d nn.max_pool2d nn.avg_pool2d";
  expect(upstream.split(" ").filter((name) => !gradientTable.has(`relax.${name}`))).toEqual([]);
});

test("no_grad stops, and only what was asked for is returned", () => {
  const module = adjointOf(lossModule({ a: [2], b: [2] }, ["s = R.grad.no_grad(a)", "y = R.multiply(s, b)"]), { requireGrads: ["a"] });
  const result = interpretRelax(module, inputs({ a: [2], b: [2] }), { entry: "main_adjoint" });
  const grads = isTuple(result) ? result[1] : undefined;
  expect(isTuple(grads) && grads.length).toBe(1);
  expect(numbers(isTuple(grads) ? grads[0] : undefined)).toEqual([0, 0]);
});

test("what cannot be differentiated is named", () => {
  expect(() => adjointOf(lossModule({ x: [2] }, ["y = R.sort(x)"]))).toThrow("no gradient of `relax.sort`");
  expect(() => adjointOf(lossModule({ x: [2] }, ["y = R.exp(x)"]), { requireGrads: ["z"] })).toThrow("no parameter `z`");
});

test("the gradient of a tensor program is what its name says, with its keyword arguments", () => {
  const text = `@I.ir_module
class Module:
    @T.prim_func(private=True)
    def weigh(a: T.Buffer((T.int64(3),), "float64"), b: T.Buffer((T.int64(3),), "float64"), c: T.Buffer((T.int64(3),), "float64")):
        for i in range(T.int64(3)):
            with T.block("weigh"):
                v = T.axis.spatial(T.int64(3), i)
                c[v] = a[v] * b[v] * T.float64(5)

    @R.function
    def main(a: R.Tensor((3,), "float64"), b: R.Tensor((3,), "float64")):
        cls = Module
        with R.dataflow():
            y = R.call_tir_with_grad(cls.weigh, (a, b), out_sinfo=R.Tensor((3,), "float64"), te_grad_name="weigh_grad", te_grad_kwargs={"k": 5.0})
            loss = R.sum(y)
            R.output(loss)
        return loss
`;
  const module = parse(text, { dialects: [tir, relax] });
  const weighGrad: TeGradient = ([g], [a, b], { k }) => {
    if (g === undefined || a === undefined || b === undefined) throw new Error("two arguments and a gradient were expected");
    const factor = constant(Number(typeof k === "object" && k !== null && "value" in k ? k.value : k), "float64");
    return [b, a].map((other) => compute(a.shape, (...i) => mul(mul(g.at(...i), other.at(...i)), factor), "weigh_grad"));
  };
  const known = passContext({ dialects, entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(teGradientsKey, new Map([["weigh_grad", weighGrad]]))] });
  const adjoint = runPass(legalizeOps(), runPass(gradient("main"), module, known), known);
  const [a, b] = [tensorFrom([1, 2, 3], [3], "float64"), tensorFrom([4, 5, 6], [3], "float64")];
  const result = interpretRelax(adjoint, [a, b], { entry: "main_adjoint" });
  const grads = isTuple(result) && isTuple(result[1]) ? result[1] : [];
  expect(grads.map((g) => numbers(g as RelaxValue))).toEqual([
    [20, 25, 30],
    [5, 10, 15],
  ]);
  expect(() => runPass(gradient("main"), module, ctx)).toThrow("There is no gradient `weigh_grad`, which `y` asks for.");
});
