import { irDialect, passContext, runPass, type IRModule, type Pass } from "@verticil/ir-core";
import { parse, print } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { tir } from "../script/tir-script.ts";
import { mergeSimilarFunctions } from "./merge-similar-functions.ts";
import { outlineLoops } from "./outline-loops.ts";

/** A flat function that adds 1 to the first `rows · columns` of its input, row by row. */
function adder(name: string, rows: number, columns: number, value = "1.0"): string {
  const size = rows * columns;
  return `
    @T.prim_func(private=True)
    def ${name}(x: T.Buffer((${size},), "float32"), y: T.Buffer((${size},), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((${size},), data=x.data)
        y_1 = T.decl_buffer((${size},), data=y.data)
        for i, j in T.grid(${rows}, ${columns}):
            y_1[i * ${columns} + j] = x_1[i * ${columns} + j] + T.float32(${value})
`;
}

function moduleOf(...functions: readonly string[]): IRModule {
  const calls = functions.map((f) => `        cls.${/def (\w+)/.exec(f)?.[1]}(x, y${f.includes("n: T.int32") ? ", 40" : ""})`);
  return parse(`
@I.ir_module
class Module:${functions.join("")}
    @T.prim_func
    def main(x: T.handle, y: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
${calls.join("\n")}
`, { dialects: [tir] });
}

function run(pass: Pass, module: IRModule): string {
  return print(runPass(pass, module, passContext({ dialects: [irDialect, tir] })), { dialects: [tir] });
}

function names(text: string): readonly string[] {
  return [...text.matchAll(/def (\w+)\(/g)].map((m) => m[1]!);
}

describe("mergeSimilarFunctions", () => {
  it("makes one function of two that differ in sizes, and passes the sizes", () => {
    const text = run(mergeSimilarFunctions(), moduleOf(adder("a", 4, 8), adder("b", 6, 16)));
    expect(names(text)).toEqual(["a", "main"]);
    expect(text).toContain("y_1[i * n1 + j] = x_1[i * n1 + j] + T.float32(1.0)");
    expect(text).toContain("Module.a(x, y, 4, 8)");
    expect(text).toContain("Module.a(x, y, 6, 16)");
    expect(text).toMatch(/"param_ranges": \[\[4, 6\], \[8, 16\]\]/);
  });

  it("declares memory as large as the largest needs", () => {
    const text = run(mergeSimilarFunctions(), moduleOf(adder("a", 4, 8), adder("b", 6, 16)));
    expect(text).toContain("x_1 = T.decl_buffer((96,), data=x.data)");
  });

  it("takes as much scratch memory as the function that takes most, and prints as it is", () => {
    const sized = (f: string, bytes: number): string => f.replace('{"tir.noalias"', `{"WorkspaceSize": T.int64(${bytes}), "tir.noalias"`);
    const text = run(mergeSimilarFunctions(), moduleOf(sized(adder("a", 4, 8), 64), sized(adder("b", 6, 16), 128)));
    expect(text).toContain('"WorkspaceSize": T.int64(128)');
    expect(print(parse(text, { dialects: [tir] }), { dialects: [tir] })).toBe(text);
  });

  it("keeps what is the same everywhere as a constant", () => {
    const text = run(mergeSimilarFunctions(), moduleOf(adder("a", 4, 8), adder("b", 6, 8)));
    expect(text).toContain("y_1[i * 8 + j]");
    expect(text).toContain("Module.a(x, y, 6)");
  });

  it("passes the divisors of names that are bound outside of loops, as those of loops of two that are shared as one", () => {
    const split = (f: string, columns: number): string => f
      .replace(/for i, j in T.grid\((\d+), \d+\)/, "row: T.int32 = T.Div(n, " + columns + ")\n        for i in range($1)")
      .replace(/y: T.Buffer\([^)]*\), "float32"\)/, "$&, n: T.int32")
      .replaceAll("j]", "row]");
    const module = moduleOf(split(adder("a", 4, 8), 8), split(adder("b", 6, 16), 16));
    const text = run(mergeSimilarFunctions(), module);
    expect(names(text)).toEqual(["a", "main"]);
    expect(text).toContain("row: T.int32 = T.Div(n, n0)");
  });

  it("keeps functions apart that compute something else", () => {
    const module = moduleOf(adder("a", 4, 8), adder("b", 4, 8, "2.0"));
    expect(run(mergeSimilarFunctions(), module)).toBe(print(module, { dialects: [tir] }));
  });

  it("passes one number for places that keep their distance from each other", () => {
    const pair = (name: string, columns: number): string => `
    @T.prim_func(private=True)
    def ${name}(x: T.Buffer((${columns + 4},), "float32"), y: T.Buffer((4,), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((${columns + 4},), data=x.data)
        y_1 = T.decl_buffer((4,), data=y.data)
        for i in range(4):
            y_1[i] = x_1[i + ${columns + 4}] + x_1[i + ${columns}]
`;
    const text = run(mergeSimilarFunctions(), moduleOf(pair("a", 8), pair("b", 32)));
    expect(text).toContain("y_1[i] = x_1[i + (n0 + 4)] + x_1[i + n0]");
    expect(text).toContain("Module.a(x, y, 8)");
    expect(text).toContain("Module.a(x, y, 32)");
  });

  it("keeps what does most of the work apart where its inner loop would take many numbers, and merges the rest", () => {
    const module = moduleOf(adder("a", 100, 400), adder("b", 4, 8), adder("c", 6, 16));
    expect(names(run(mergeSimilarFunctions({ busyShare: 0.5, maxBusyDistances: 0 }), module))).toEqual(["a", "b", "main"]);
    expect(names(run(mergeSimilarFunctions({ busyShare: 0.5, maxBusyDistances: 1 }), module))).toEqual(["a", "main"]);
  });

  it("keeps functions apart that would take too many numbers", () => {
    const module = moduleOf(adder("a", 4, 8), adder("b", 6, 16));
    expect(run(mergeSimilarFunctions({ maxParams: 1 }), module)).toBe(print(module, { dialects: [tir] }));
  });
});

describe("mergeSimilarFunctions after outlineLoops", () => {
  it("makes one of the loop bodies, and then one of the functions that call them", () => {
    const text = run(mergeSimilarFunctions(), runPass(outlineLoops(), moduleOf(adder("a", 4, 64), adder("b", 6, 128)), passContext({ dialects: [irDialect, tir] })));
    expect(names(text)).toEqual(["a", "a_loop", "main"]);
    expect(text).toContain("Module.a(x, y, 4, 64)");
    expect(text).toContain("Module.a(x, y, 6, 128)");
    expect(text).toMatch(/for i in range\(n0\):\n\s+Module\.a_loop\(\w(\.data)?, \w(\.data)?, i, n1\)/);
  });

  it("widens the ranges of the parameters that the bodies had", () => {
    const text = run(mergeSimilarFunctions(), runPass(outlineLoops(), moduleOf(adder("a", 4, 64), adder("b", 6, 128)), passContext({ dialects: [irDialect, tir] })));
    expect(text).toMatch(/"param_ranges": \[\[0, 5\], \[64, 128\]\]/);
  });
});

describe("outlineLoops", () => {
  it("makes the body of an outer loop a function, with the pointers, numbers and the loop variable it takes", () => {
    const text = run(outlineLoops(), runPass(mergeSimilarFunctions(), moduleOf(adder("a", 4, 64), adder("b", 6, 128)), passContext({ dialects: [irDialect, tir] })));
    expect(names(text)).toEqual(["a", "a_loop", "main"]);
    expect(text).toMatch(/def a_loop\(y: T\.handle, x: T\.handle, n1: T\.int32, i: T\.int32\)|def a_loop\(x: T\.handle, y: T\.handle, n1: T\.int32, i: T\.int32\)/);
    expect(text).toMatch(/for i in range\(n0\):\n\s+Module\.a_loop\(\w(\.data)?, \w(\.data)?, n1, i\)/);
    expect(text).toMatch(/"param_ranges": \[\[64, 128\], \[0, 5\]\]/);
  });

  it.each([
    ["a short loop", adder("a", 3, 64)],
    ["a loop with little to do", adder("a", 64, 8)],
  ])("leaves %s", (_, func) => {
    const module = moduleOf(func);
    expect(run(outlineLoops(), module)).toBe(print(module, { dialects: [tir] }));
  });
});
