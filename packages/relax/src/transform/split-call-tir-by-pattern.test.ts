import { contextEntry, irDialect, passContext, runPass } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { isTensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { splitCallTIRByPattern, type TirPatternCodegen } from "./split-call-tir-by-pattern.ts";

const scripts = [tir, relax];
expect.extend(irMatchers({ dialects: [irDialect, ...scripts], print: (n) => print(n, { dialects: scripts }) }));

type Module = ReturnType<typeof parse>;

function moduleOf(text: string): Module {
  return parse(`@I.ir_module\nclass Module:\n${text.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects: scripts });
}

/** `alpha * sum(A[i, k] * B[k, j])`, whatever `alpha` is. */
const product = [
  ...moduleOf(`
@T.prim_func
def product(a: T.handle, b: T.handle, c: T.handle, n: T.int64, m: T.int64, k: T.int64):
    A = T.match_buffer(a, (n, k), "float32")
    B = T.match_buffer(b, (k, m), "float32")
    C = T.match_buffer(c, (n, m), "float32")
    for i, j, l in T.grid(n, m, k):
        with T.block("product"):
            vi, vj, vl = T.axis.remap("SSR", [i, j, l])
            with T.init():
                C[vi, vj] = T.float32(0)
            C[vi, vj] = C[vi, vj] + A[vi, vl] * B[vl, vj]
`).functions.values(),
] as PrimFunc[];

const scale = [
  ...moduleOf(`
@T.prim_func
def scale(a: T.handle, b: T.handle, n: T.int64, m: T.int64, alpha: T.float32, beta: T.float32):
    A = T.match_buffer(a, (n, m), "float32")
    B = T.match_buffer(b, (n, m), "float32")
    for i, j in T.grid(n, m):
        with T.block("scale"):
            vi, vj = T.axis.remap("SS", [i, j])
            B[vi, vj] = alpha * A[vi, vj] + beta
`).functions.values(),
] as PrimFunc[];

const matmul = (value: string): string => `
    for i, j, k in T.grid(T.int64(2), T.int64(4), T.int64(3)):
        with T.block("matmul"):
            v0, v1, v2 = T.axis.remap("SSR", [i, j, k])
            with T.init():
                D[v0, v1] = T.float32(0)
            D[v0, v1] = ${value}
`;
const relu = `
    for i, j in T.grid(T.int64(2), T.int64(4)):
        with T.block("relu"):
            v0, v1 = T.axis.remap("SS", [i, j])
            E[v0, v1] = T.max(D[v0, v1], T.float32(0))
`;
const fused = (value: string, rest = relu): string => `
@T.prim_func(private=True)
def fused(x: T.Buffer((T.int64(2), T.int64(3)), "float32"), w: T.Buffer((T.int64(3), T.int64(4)), "float32"), E: T.Buffer((T.int64(2), T.int64(4)), "float32")):
    D = T.alloc_buffer((T.int64(2), T.int64(4)))${matmul(value)}${rest}`;
const main = (calls: string, ret = "y"): string => `
@R.function
def main(x: R.Tensor((2, 3), "float32"), w: R.Tensor((3, 4), "float32")) -> R.Tensor((2, 4), "float32"):
    cls = Module
    with R.dataflow():
${calls.replace(/^(?=.)/gm, "        ")}
        R.output(${ret})
    return ${ret}
`;
const called = 'y = R.call_tir(cls.fused, (x, w), out_sinfo=R.Tensor((2, 4), "float32"))';

/** Code for products, which the host has. */
const codegen: TirPatternCodegen = (matches) => {
  const [a, b] = matches[0]?.matchedBuffers ?? [];
  return a === undefined || b === undefined ? undefined : { format: "js", source: "function {global_symbol}(a, b, out) {}", count: 1, args: [a, b] };
};

function split(text: string, patterns: readonly PrimFunc[] = product, make = codegen): Module {
  const ctx = passContext({ dialects: [irDialect, ...scripts], entries: [contextEntry(opRegistryKey, relaxOps)] });
  return runPass(splitCallTIRByPattern(patterns, make), moduleOf(text), ctx);
}

const plain = "D[v0, v1] + x[v0, v2] * w[v2, v1]";
const turned = "w[v2, v1] * x[v0, v2] + D[v0, v1]";

it("a product becomes a call of the code that is made of it, and the rest a program of its own; factors may change places", () => {
  for (const value of [plain, turned]) {
    const after = split(fused(value) + main(called));
    expect(after.attrs["external_mods"]).toEqual([{ format: "js", symbols: ["fused"], source: "function fused(a, b, out) {}" }]);
    expect({ ...after, attrs: {} }).toEqualIr(
      moduleOf(`${fused(value)}
@T.prim_func(private=True)
def unfused_epilogue(D: T.Buffer((T.int64(2), T.int64(4)), "float32"), E: T.Buffer((T.int64(2), T.int64(4)), "float32")):${relu}
${main(`d = R.call_dps_packed("fused", (x, w), out_sinfo=R.Tensor((2, 4), "float32"))\ny = R.call_tir(cls.unfused_epilogue, (d,), out_sinfo=R.Tensor((2, 4), "float32"))`)}`),
    );
  }
});

it("what comes of it computes what the program did", () => {
  const before = moduleOf(fused(plain) + main(called));
  const inputs = [tensorFrom([1, -2, 3, 4, 5, -6], [2, 3], "float32"), tensorFrom(Array.from({ length: 12 }, (_, i) => i - 5), [3, 4], "float32")];
  const multiply = (args: readonly unknown[]): undefined => {
    const [a, b, out] = args as [Tensor, Tensor, Tensor];
    for (let i = 0; i < 8; i++) out.data[i] = [0, 1, 2].reduce((s, k) => s + Number(a.data[(i >> 2) * 3 + k]) * Number(b.data[k * 4 + (i % 4)]), 0) as never;
    return undefined;
  };
  const [expected, actual] = [interpretRelax(before, inputs), interpretRelax(split(fused(plain) + main(called)), inputs, { functions: { fused: multiply } })];
  if (!isTensor(expected) || !isTensor(actual)) throw new Error("no tensors");
  expect([...actual.data]).toEqual([...expected.data]);
});

it("a program that is all found becomes a call of the code alone", () => {
  const text = `
@T.prim_func(private=True)
def fused(x: T.Buffer((T.int64(2), T.int64(3)), "float32"), w: T.Buffer((T.int64(3), T.int64(4)), "float32"), D: T.Buffer((T.int64(2), T.int64(4)), "float32")):${matmul(plain)}`;
  expect({ ...split(text + main(called)), attrs: {} }).toEqualIr(moduleOf(text + main('y = R.call_dps_packed("fused", (x, w), out_sinfo=R.Tensor((2, 4), "float32"))')));
});

it.each([
  ["E[v0, v1] = D[v0, v1]", [1, 0]],
  ["E[v0, v1] = D[v0, v1] * T.float32(3)", [3, 0]],
  ["E[v0, v1] = T.float32(2) + D[v0, v1]", [1, 2]],
  ["E[v0, v1] = T.float32(5) + D[v0, v1] * T.float32(4)", [4, 5]],
])("constants of a pattern are told, left out ones too: %s", (store, values) => {
  const rest = relu.replace("E[v0, v1] = T.max(D[v0, v1], T.float32(0))", store);
  let found: readonly unknown[] = [];
  const after = split(fused(plain, rest) + main(called), [...product, ...scale], (matches) => {
    found = matches.map((m) => m.symbolValues.map((v) => ("value" in v ? v.value : undefined)));
    return undefined;
  });
  expect(found).toEqual([
    [2, 4, 3],
    [2, 4, ...values],
  ]);
  expect(after).toEqualIr(moduleOf(fused(plain, rest) + main(called)));
});

it("what is no product, or whose rest reads more of it than its result, is left alone", () => {
  const other = fused("D[v0, v1] + x[v0, v2]") + main(called);
  expect(split(other)).toEqualIr(moduleOf(other));
  const accumulates = fused(plain, relu.replace("E[v0, v1] = T.max(D[v0, v1], T.float32(0))", "D[v0, v1] = T.max(D[v0, v1], T.float32(0))\n            E[v0, v1] = D[v0, v1]")) + main(called);
  expect(split(accumulates)).toEqualIr(moduleOf(accumulates));
});

it("code may not take what its part does not read", () => {
  expect(() => split(fused(plain) + main(called), product, (matches) => ({ format: "js", source: "", count: 1, args: matches[0]?.matchedBuffers.slice(2) ?? [] }))).toThrow("`D` is no parameter");
});
