import { defaultWasmTarget, irDialect, passContext, runPass } from "@verticil/ir-core";
import { poolLayout, tensorFrom, zeros } from "@verticil/runtime-ffi";
import { outlineLoops, tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { runModule } from "../testing/run-wasm.ts";
import { toWat } from "../testing/wat.ts";

const source = parse(`
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def rows(x: T.Buffer((96,), "float32"), y: T.Buffer((96,), "float32"), scale: T.float32):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((96,), data=x.data)
        y_1 = T.decl_buffer((96,), data=y.data)
        for i in T.parallel(6):
            for j in range(16):
                y_1[i * 16 + j] = x_1[i * 16 + j] * scale

    @T.prim_func
    def main(x: T.handle, y: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
        cls.rows(x, y, T.float32(2))
        cls.rows(y, y, T.float32(3))
`, { dialects: [tir] });
const module = runPass(outlineLoops({ minWork: 0, minChunk: 0 }), source, passContext({ dialects: [irDialect, tir] }));

test("where there is one thread a parallel loop is a plain one", () => {
  const results = [{}, { threads: true }].map((options) => {
    const y = zeros("float32", [96]);
    runModule(module, "main", [tensorFrom(Array.from({ length: 96 }, (_, i) => i - 40), [96], "float32"), y], options);
    return [...(y.data as Float32Array)];
  });
  expect(results[0]).toEqual(Array.from({ length: 96 }, (_, i) => (i - 40) * 6));
  expect(results[1]).toEqual(results[0]);
});

test("each thread begins with pieces of its own, and takes those of threads that do not come", async () => {
  const build = buildWasm(module, defaultWasmTarget, { threads: true });
  const [pool, bytes] = [build.threads?.pool ?? 0, 4 * 96];
  // Thread `n` counts in a cache line of its own, from `extent * n / threads` on, and takes a quarter of what is left.
  const next = pool + poolLayout.next;
  const wat = await toWat(build.bytes);
  expect(wat).toMatch(new RegExp(String.raw`i64\.mul\n\s+i32\.const 0\n\s+i32\.load offset=${pool}\n\s+i64\.extend_i32_u\n\s+i64\.div_u\n\s+i32\.wrap_i64\n\s+i32\.store offset=${next}\n`));
  expect(wat).toMatch(new RegExp(String.raw`i32\.const 3\n\s+i32\.add\n\s+i32\.const 2\n\s+i32\.shr_u\n`));
  expect(wat).toMatch(new RegExp(String.raw`i32\.atomic\.rmw\.cmpxchg offset=${next}\n`));
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(build.bytes as Uint8Array<ArrayBuffer>), { env: { memory } });
  const x = Float32Array.from({ length: 96 }, (_, i) => i - 40);
  for (const threads of [2, 3, 5, 6, 7, 64]) {
    new Int32Array(memory.buffer)[(pool + poolLayout.threads) / 4] = threads;
    const [at, to] = [65536, 65536 + bytes];
    new Float32Array(memory.buffer, at, 96).set(x);
    (instance.exports["main"] as (x: number, y: number) => void)(at, to);
    expect([...new Float32Array(memory.buffer, to, 96)]).toEqual([...x].map((v) => v * 6));
  }
});

test("its arguments go into the pool, and a function of the table takes them from there", async () => {
  const build = buildWasm(module, defaultWasmTarget, { threads: true });
  expect(build.threads).toEqual({ pool: 64, stack: 0 });
  const wat = await toWat(build.bytes);
  expect(wat).toContain('(import "env" "memory" (memory (;0;) 1 65536))');
  expect(wat).toContain('(export "__worker" (func $__worker))');
  expect(wat).toContain("(elem (;0;) (i32.const 0) func $__range_0)");
  // The number of the body and of its iterations.
  expect(wat).toMatch(/f32\.store offset=144\n\s+i32\.const 0\n\s+i32\.const 6\n\s+call \$__fork/);
  expect(wat).toMatch(/f32\.load offset=144\n/);
});

test("a module without parallel loops, or for one thread, knows of none", async () => {
  const plain = buildWasm(module, defaultWasmTarget);
  expect(plain.threads).toBeUndefined();
  expect(await toWat(plain.bytes)).not.toMatch(/atomic|table|65536/);
  expect(buildWasm(runPass(outlineLoops(), source, passContext({ dialects: [irDialect, tir] })), defaultWasmTarget, { threads: true }).threads).toBeUndefined();
});
