import { runPass, passContext, sequential } from "@verticil/ir-core";
import { tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { bf16ComputeLegalize, fp8ComputeLegalize } from "./compute-legalize.ts";
import { bf16StorageLegalize, fp8StorageLegalize } from "./storage-legalize.ts";
import { expectPass, moduleOf } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

const program = (dtype: string): string => `
@T.prim_func
def main(A: T.Buffer((64,), "${dtype}"), B: T.Buffer((64,), "${dtype}"), C: T.Buffer((64,), "float32")):
    data = T.allocate([64], "${dtype}", "global")
    D = T.Buffer((64,), "${dtype}", data=data)
    for i in range(64):
        D[i] = A[i] + B[i]
        C[i] = T.Cast("float32", D[i] * T.Cast("${dtype}", T.float32(0.5)))
`;

/** The types that a program computes with and keeps in memory. */
function typesIn(func: PrimFunc): ReadonlySet<string> {
  const types = new Set<string>([...func.bufferMap.values()].map((b) => b.dtype));
  visitStmt(func.body, { expr: (e) => void types.add(e.dtype), buffer: (b) => void types.add(b.dtype) });
  return types;
}

test("bfloat16 is computed in float32 and kept as uint16; no bfloat16 is left", () => {
  const both = sequential("Legalize", [bf16ComputeLegalize(), bf16StorageLegalize()]);
  const module = both.run(moduleOf(program("bfloat16")), passContext());
  const func = [...module.functions.values()][0] as PrimFunc;
  expect([...typesIn(func)].filter((t) => t.startsWith("bfloat"))).toEqual([]);
  // Small integers: every sum is exact in both.
  const bits = Uint16Array.from({ length: 64 }, (_, i) => new Uint16Array(Float32Array.from([i - 32]).buffer)[1] ?? 0);
  const before = interpretOn(program("bfloat16"), [tensor(bits, [64], "bfloat16"), tensor(bits, [64], "bfloat16")]);
  const after = interpretOn(module, [tensor(bits, [64], "uint16"), tensor(bits, [64], "uint16")]);
  expect([...after]).toEqual([...before]);
});

test("a store rounds to the nearest bfloat16, as the interpreter does", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((64,), "float32"), B: T.Buffer((64,), "bfloat16")):
    for i in range(64):
        B[i] = T.Cast("bfloat16", A[i])
`;
  const input = tensor(Float32Array.from({ length: 64 }, (_, i) => (i + 1) * 1.00390625 * (i % 2 ? 1 : -1)), [64], "float32");
  const legal = runPass(sequential("Legalize", [bf16ComputeLegalize(), bf16StorageLegalize()]), moduleOf(script), passContext());
  expect([...interpretOn(legal, [input])]).toEqual([...interpretOn(script, [input])]);
});

test("8-bit floats are computed in float16 and kept as bytes", () => {
  const both = sequential("Legalize", [fp8ComputeLegalize(), fp8StorageLegalize()]);
  const module = both.run(moduleOf(program("float8_e5m2")), passContext());
  const func = [...module.functions.values()][0] as PrimFunc;
  expect([...typesIn(func)].filter((t) => t.startsWith("float8"))).toEqual([]);
});

test("a program without such types stays as it is", () => {
  expectPass(bf16ComputeLegalize(), program("float32"));
  expectPass(bf16StorageLegalize(), program("float32"));
});
