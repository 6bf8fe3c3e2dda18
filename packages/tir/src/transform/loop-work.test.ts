import { lookupFunc } from "@verticil/ir-core";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "../script/tir-script.ts";
import { estimateWork } from "./loop-work.ts";

function work(...body: readonly string[]): number {
  const module = parse(`
@I.ir_module
class Module:
    @T.prim_func
    def f(x: T.Buffer((4096,), "float32"), y: T.Buffer((4096,), "float32")):
${body.map((line) => `        ${line}`).join("\n")}
`, { dialects: [tir] });
  return estimateWork((lookupFunc(module, "f") as PrimFunc).body);
}

test("work grows with the iterations of loops, not with the lanes of vectors", () => {
  const one = work("y[0] = x[0] + T.float32(1)");
  expect(work("for i, j in T.grid(4, 8):", "    y[i * 8 + j] = x[i * 8 + j] + T.float32(1)")).toBeCloseTo(32 * one);
  expect(work("y[0:4] = x[0:4] + T.Broadcast(T.float32(1), 4)")).toBeCloseTo(one);
});

test("the arithmetic of indices is free, that of values is not", () => {
  expect(work("for i in range(4):", "    y[i * 7 % 4] = x[i]")).toBe(work("for i in range(4):", "    y[i] = x[i]"));
  expect(work("y[0] = x[0] * x[0] + x[0]")).toBeGreaterThan(work("y[0] = x[0]"));
});
