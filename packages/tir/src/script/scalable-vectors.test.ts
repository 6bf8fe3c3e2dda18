import { firstMismatch } from "@verticil/ir-core";
import { zeros } from "@verticil/runtime-ffi";
import { parse, parseFunction, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { interpretPrimFunc } from "../interpreter/interpret.ts";
import { Analyzer } from "../arith/analyzer.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeRamp } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "./tir-script.ts";

const dialects = [tir];

test.each([
  `A[0:T.vscale() * 4] = B[0:T.vscale() * 4]`,
  `A[x:x + T.vscale() * 4] = T.Broadcast(T.float32(1.0), T.vscale() * 4)`,
  `A[0:T.vscale() * 8:2] = B[0:T.vscale() * 4] * T.Broadcast(T.float32(0.5), T.vscale() * 4)`,
  `T.call_llvm_intrin("int32xvscalex4", "llvm.experimental.stepvector")`,
  `A.vstore([T.Ramp(0, 1, T.vscale() * 4)], B.vload([T.Ramp(0, 1, T.vscale() * 4)], predicate=T.get_active_lane_mask("uint1xvscalex4", 0, 13)), predicate=T.get_active_lane_mask("uint1xvscalex4", 0, 13))`,
  `T.evaluate(T.vscale() * 4)`,
])("%s comes back as it was", (stmt) => {
  const text = `# from tvm.script import tir as T

@T.prim_func
def f(A: T.Buffer((128,), "float32"), B: T.Buffer((128,), "float32"), x: T.int32):
    ${stmt}`;
  const module = parse(text, { dialects });
  const printed = print(module, { dialects });
  expect(printed).toContain(`    ${stmt.replace("T.evaluate(T.vscale() * 4)", "T.evaluate(T.vscale() * 4)")}`);
  expect(firstMismatch(module, parse(printed, { dialects }), { dialects })?.path).toBeUndefined();
});

test("lanes are a number or a multiple of vscale, and vectors of such vectors there are none", () => {
  const body = (e: string): string => `@T.prim_func\ndef f(x: T.int32):\n    T.evaluate(${e})\n`;
  expect(() => parse(body("T.Ramp(0, 1, x)"), { dialects })).toThrow("multiple of `T.vscale()`");
  expect(() => parse(body("T.Broadcast(T.Broadcast(0, T.vscale() * 4), T.vscale() * 2)"), { dialects })).toThrow("There is no vector of");
  expect(() => parse(body("T.Broadcast(0, T.vscale())"), { dialects })).toThrow("There is no vector of");
});

test("the interpreter says that it cannot run them, and the analyzer that it does not know their ends", () => {
  const func = parseFunction(`@T.prim_func\ndef f(A: T.Buffer((8,), "float32")):\n    A[0:T.vscale() * 4] = T.Broadcast(T.float32(1), T.vscale() * 4)\n`, { dialects });
  expect(() => interpretPrimFunc(func as PrimFunc, [zeros("float32", [8])])).toThrow("whose length the hardware decides");
  const x = makeVar("x");
  const bound = new Analyzer().constIntBound(makeRamp(x, constant(1, "int32"), -4));
  expect(bound.max).toBeGreaterThan(2 ** 30);
});
