import { defaultWasmTarget } from "@verticil/ir-core";
import { makeTuneTask, type TuneTask } from "@verticil/metaschedule";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ThreadBuilder } from "@verticil/metaschedule/node";
import { untunedSchedule } from "./tune-module.ts";
import { wasmKernelBuilder } from "./wasm-builder.ts";
import { wasmThreadBuilder } from "./wasm-thread-builder.ts";

/** A product whose second operand may be packed. */
function product(dtype: string): TuneTask {
  const module = parse(
    `
@T.prim_func
def product(A: T.Buffer((32, 32), "${dtype}"), B: T.Buffer((32, 32), "${dtype}"), C: T.Buffer((32, 32), "${dtype}")):
    for i, j, k in T.grid(32, 32, 32):
        with T.block("product"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                C[vi, vj] = T.${dtype}(0)
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vk, vj]
`,
    { dialects: [tir] },
  );
  const [func] = module.functions.values();
  return makeTuneTask({ name: "product", func: func as PrimFunc, target: defaultWasmTarget, layoutFree: [1] });
}

let builder: ThreadBuilder;
beforeAll(() => void (builder = wasmThreadBuilder({ seed: 7 })));
afterAll(() => builder.close());

it("gives the kernels that this thread would build", async () => {
  const task = product("float32");
  const packed = untunedSchedule(task);
  expect(packed.layout).toHaveLength(1);
  for (const scheduled of [packed, { func: task.func, layout: [] }]) {
    expect(await builder.build(task, scheduled)).toEqual(await wasmKernelBuilder(7)(task, scheduled));
  }
});

it("says what it cannot build", async () => {
  const task = product("int32");
  await expect(builder.build(task, { func: task.func, layout: [] })).rejects.toThrow("no float32 buffer of known shape");
});
