import { defaultWasmTarget } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { scheduleOf } from "../space/post-order-apply.ts";
import { parallelizeOuter } from "./parallelize-outer.ts";

expect.extend(irMatchers({ dialects: [tir], print: (n) => print(n, { dialects: [tir] }) }));

const ctx = { target: defaultWasmTarget, layoutFree: new Set<number>() };

function funcOf(body: string): PrimFunc {
  const [func] = parse(`from tvm.script import tir as T\n@T.prim_func\ndef main(a: T.Buffer((5, 4, 16), "float32"), b: T.Buffer((5, 4, 16), "float32")):\n${body}`, { dialects: [tir] }).functions.values();
  return func as PrimFunc;
}

function parallelized(func: PrimFunc): PrimFunc {
  const sch = scheduleOf(func);
  expect(parallelizeOuter.apply(sch, ctx)).toBe(true);
  const [made] = sch.mod.functions.values();
  return made as PrimFunc;
}

it("makes the outermost loop of enough iterations parallel", () => {
  const text = (kind: string): string => `
    for i in range(1):
        for j in ${kind}(16):
            for k in range(20):
                with T.block("b"):
                    vi = T.axis.spatial(5, k // 4)
                    vj = T.axis.spatial(4, k % 4)
                    vk = T.axis.spatial(16, i * 16 + j)
                    b[vi, vj, vk] = a[vi, vj, vk] * T.float32(2)
`;
  expect(parallelized(funcOf(text("range")))).toEqualIr(funcOf(text("T.parallel")));
});

it("makes short loops one where they have enough iterations together only", () => {
  const before = funcOf(`
    for i, j in T.grid(5, 4):
        for k in T.vectorized(16):
            with T.block("b"):
                vi, vj, vk = T.axis.remap("SSS", [i, j, k])
                b[vi, vj, vk] = a[vi, vj, vk] * T.float32(2)
`);
  const after = funcOf(`
    for f in T.parallel(20):
        for k in T.vectorized(16):
            with T.block("b"):
                vi = T.axis.spatial(5, f // 4)
                vj = T.axis.spatial(4, f % 4)
                vk = T.axis.spatial(16, k)
                b[vi, vj, vk] = a[vi, vj, vk] * T.float32(2)
`);
  expect(parallelized(before)).toEqualIr(after);
});

it("passes over a loop whose iterations write the same elements, for one inside it", () => {
  // A band of lines and the two beside it, which the next band prepares again.
  const text = (outer: string, inner: string, lines: string): string => `
    p = T.alloc_buffer((5, 4, 16))
    for i in ${outer}(2):
        for j in range(4):
            for l in ${inner}(16):
                with T.block("prepared"):
                    vi = T.axis.spatial(5, i + j)
                    vl = T.axis.spatial(16, l)
                    p[vi, 0, vl] = a[vi, 0, vl]
        for j in range(2):
            for l in ${lines}(16):
                with T.block("used"):
                    vi = T.axis.spatial(4, i * 2 + j)
                    vl = T.axis.spatial(16, l)
                    b[vi, 0, vl] = p[vi, 0, vl] + p[vi + 1, 0, vl]
`;
  expect(parallelized(funcOf(text("range", "range", "range")))).toEqualIr(funcOf(text("range", "T.parallel", "T.parallel")));
});

it("leaves the loop of a reduction as it is", () => {
  const func = funcOf(`
    for k in range(16):
        with T.block("b"):
            vk = T.axis.reduce(16, k)
            with T.init():
                b[0, 0, 0] = T.float32(0)
            b[0, 0, 0] = b[0, 0, 0] + a[0, 0, vk]
`);
  expect(parallelized(func)).toEqualIr(func);
});

it("steps into a nest that is parallel already no further", () => {
  const func = funcOf(`
    for i in T.parallel(5):
        for k in range(16):
            with T.block("b"):
                vi, vk = T.axis.remap("SS", [i, k])
                b[vi, 0, vk] = a[vi, 0, vk]
`);
  expect(parallelized(func)).toEqualIr(func);
});
