import { irDialect, passContext, runPass } from "@verticil/ir-core";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { tir } from "../script/tir-script.ts";
import { outlineLoops, type OutlineOptions } from "./outline-loops.ts";

/** The loops of a flat function that adds 1 to `rows · columns` elements, after `OutlineLoops`. */
function loops(opts: OutlineOptions, rows: number, columns: number, first = 0): string {
  const size = (first + rows) * columns;
  const module = parse(`
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def f(x: T.Buffer((${size},), "float32"), y: T.Buffer((${size},), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((${size},), data=x.data)
        y_1 = T.decl_buffer((${size},), data=y.data)
        for i in T.parallel(${first}, ${first + rows}):
            for j in T.parallel(${columns}):
                y_1[i * ${columns} + j] = x_1[i * ${columns} + j] + T.float32(1)
`, { dialects: [tir] });
  const text = print(runPass(outlineLoops(opts), module, passContext({ dialects: [irDialect, tir] })), { dialects: [tir] });
  return text.split("\n").filter((line) => /\bfor |Module\.|y_1\[|_outer/.test(line)).map((line) => line.trim()).join("\n");
}

it("a parallel loop that is worth it becomes a parallel loop of calls, with plain loops inside", () => {
  expect(loops({ minWork: 1000, minChunk: 100 }, 8, 512)).toBe(`for i in T.parallel(8):
Module.f_loop(y.data, x.data, i)
for j in range(512):
y_1[i * 512 + j] = x_1[i * 512 + j] + T.float32(1.0)`);
});

it("one that is not is a plain loop", () => {
  expect(loops({ minExtent: 100 }, 8, 16)).toBe(`for i, j in T.grid(8, 16):
y_1[i * 16 + j] = x_1[i * 16 + j] + T.float32(1.0)`);
});

it("iterations of little work are joined, by a number that divides them if there is one", () => {
  expect(loops({ minWork: 100, minChunk: 10 }, 256, 12)).toBe(`for i_chunk in T.parallel(8):
Module.f_loop(y.data, x.data, i_chunk)
for i, j in T.grid(32, 12):
y_1[(i_chunk * 32 + i) * 12 + j] = x_1[(i_chunk * 32 + i) * 12 + j] + T.float32(1.0)`);
  expect(loops({ minWork: 100, minChunk: 10 }, 61, 12)).toContain("T.grid(T.min(26, 61 - i_chunk * 26), 12)");
});

it("an outer loop of few iterations is shared together with the parallel loop that is all of its body", () => {
  expect(loops({ minWork: 100, minChunk: 0, minNested: 0 }, 6, 40, 2)).toBe(`for i_j in T.parallel(240):
Module.f_loop(y.data, x.data, i_j)
i_j_outer: T.int32 = T.Div(i_j, 40)
y_1[(i_j_outer + 2) * 40 + (i_j - i_j_outer * 40)] = x_1[(i_j_outer + 2) * 40 + (i_j - i_j_outer * 40)] + T.float32(1.0)`);
});

it("a loop that does not begin at 0 becomes one that does", () => {
  expect(loops({ minWork: 1000, minChunk: 100 }, 8, 512, 2)).toContain("for i_chunk in T.parallel(8):");
});
