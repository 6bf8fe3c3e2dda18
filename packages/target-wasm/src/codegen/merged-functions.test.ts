import { irDialect, passContext, runPass, sequential } from "@verticil/ir-core";
import { tensorFrom, zeros } from "@verticil/runtime-ffi";
import { mergeSimilarFunctions, outlineLoops, tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { defaultWasmTarget } from "@verticil/ir-core";
import { runModule } from "../testing/run-wasm.ts";
import { toWat } from "../testing/wat.ts";

function scaler(name: string, rows: number, columns: number): string {
  const size = rows * columns;
  return `
    @T.prim_func(private=True)
    def ${name}(x: T.Buffer((${size},), "float32"), y: T.Buffer((${size},), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((${size},), data=x.data)
        y_1 = T.decl_buffer((${size},), data=y.data)
        for i, j in T.grid(${rows}, ${columns / 8}):
            y_1[i * ${columns} + j * 8:i * ${columns} + j * 8 + 4] = x_1[i * ${columns} + j * 8:i * ${columns} + j * 8 + 4] * T.Broadcast(T.float32(2), 4)
            y_1[i * ${columns} + j * 8 + 4:i * ${columns} + j * 8 + 8] = x_1[i * ${columns} + j * 8 + 4:i * ${columns} + j * 8 + 8]
`;
}

const module = parse(`
@I.ir_module
class Module:${scaler("a", 4, 16)}${scaler("b", 5, 24)}
    @T.prim_func
    def main(x: T.handle, y: T.handle, z: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
        cls.a(x, y)
        cls.b(x, z)
`, { dialects: [tir] });
const passes = sequential("share", [mergeSimilarFunctions(), outlineLoops({ minExtent: 2, minBody: 2 })]);
const shared = runPass(passes, module, passContext({ dialects: [irDialect, tir] }));

it("functions that were made one, and their loops' bodies functions, compute the same", () => {
  const results = [module, shared].map((m) => {
    const x = tensorFrom(Array.from({ length: 120 }, (_, i) => i - 50), [120], "float32");
    const [y, z] = [zeros("float32", [64]), zeros("float32", [120])];
    runModule(m, "main", [x, y, z]);
    return [[...(y.data as Float32Array)], [...(z.data as Float32Array)]];
  });
  expect(shared.functions.size).toBe(3);
  expect(results[1]).toEqual(results[0]);
});

it("a number that is known to be in a range leaves loops without a guard and offsets in the instructions", async () => {
  const wat = await toWat(buildWasm(shared, defaultWasmTarget).bytes);
  expect(wat).not.toMatch(/\bif\b/);
  expect(wat).toContain("v128.load offset=16");
});
