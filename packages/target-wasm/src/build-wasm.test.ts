import { defaultWasmTarget, type IRModule } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { buildWasm, buildWasmVariants } from "./build-wasm.ts";

/** Two programs: one that combines two vectors as it is told, one that adds them. */
const moduleOf = (value: string): IRModule => parse(`
@I.ir_module
class Module:
    @T.prim_func
    def combine(x: T.Buffer((4,), "float32"), y: T.Buffer((4,), "float32")):
        T.func_attr({"global_symbol": "combine", "tir.noalias": True})
        y[0:4] = ${value}

    @T.prim_func
    def plain(x: T.Buffer((4,), "float32"), y: T.Buffer((4,), "float32")):
        T.func_attr({"global_symbol": "plain", "tir.noalias": True})
        y[0:4] = x[0:4] + y[0:4]
`, { dialects: [tir] });

test("what has no sum with a product is the same with relaxed SIMD", () => {
  const module = moduleOf("x[0:4] - y[0:4]");
  const { plain, relaxed } = buildWasmVariants(module, defaultWasmTarget);
  expect(plain.bytes).toEqual(buildWasm(module, defaultWasmTarget).bytes);
  expect(relaxed).toBeUndefined();
});

test("both variants are what each is when made alone", () => {
  const module = moduleOf("x[0:4] * x[0:4] + y[0:4]");
  const { plain, relaxed } = buildWasmVariants(module, defaultWasmTarget);
  expect(plain).toEqual(buildWasm(module, defaultWasmTarget));
  expect(relaxed).toEqual(buildWasm(module, { ...defaultWasmTarget, simd: "relaxed" }));
  expect(relaxed?.bytes).not.toEqual(plain.bytes);
});

