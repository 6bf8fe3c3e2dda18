import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { tir } from "../script/tir-script.ts";
import { workShares } from "./work-shares.ts";

const module = parse(`
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def step(x: T.Buffer((64,), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((64,), data=x.data)
        for j in range(64):
            x_1[j] = x_1[j] + T.float32(1.0)

    @T.prim_func(private=True)
    def unused(x: T.Buffer((64,), "float32")):
        T.func_attr({"tir.noalias": True})
        x_1 = T.decl_buffer((64,), data=x.data)
        for j in range(64):
            x_1[j] = x_1[j] + T.float32(1.0)

    @T.prim_func
    def main(x: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
        for i in range(9):
            cls.step(x)
        cls.step(x)
`, { dialects: [tir] });

describe("workShares", () => {
  const shares = new Map([...workShares(module)].map(([gv, share]) => [gv.name, share]));

  it("adds up to one", () => {
    expect([...shares.values()].reduce((sum, x) => sum + x, 0)).toBeCloseTo(1);
  });

  it("counts a function as often as loops and callers run it", () => {
    expect(shares.get("step")).toBeGreaterThan(0.9);
  });

  it("visits each function once, however many ways lead to it", () => {
    const step = (name: string, next: string): string => `    @T.prim_func(private=True)
    def ${name}(x: T.handle):
        cls = Module
        cls.${next}(x)
        cls.${next}(x)`;
    const names = Array.from({ length: 60 }, (_, i) => `f${i}`);
    const text = `@I.ir_module
class Module:
    @T.prim_func(private=True)
    def last(x: T.Buffer((64,), "float32")):
        x_1 = T.decl_buffer((64,), data=x.data)
        for j in range(64):
            x_1[j] = x_1[j] + T.float32(1.0)

${names.map((n, i) => step(n, names[i + 1] ?? "last")).join("\n\n")}

    @T.prim_func
    def main(x: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
        cls.f0(x)
`;
    const deep = new Map([...workShares(parse(text, { dialects: [tir] }))].map(([gv, share]) => [gv.name, share]));
    // Sixty calls in a row, each made twice: 2 to the 60 runs of the last, all but nothing else.
    expect(deep.get("last")).toBeGreaterThan(0.5);
  });

  it("counts a recursive call as none", () => {
    const module = parse(`
@I.ir_module
class Module:
    @T.prim_func
    def main(x: T.handle):
        T.func_attr({"global_symbol": "main"})
        cls = Module
        x_1 = T.decl_buffer((64,), "float32", data=x)
        for j in range(64):
            x_1[j] = x_1[j] + T.float32(1.0)
            cls.main(x)
`, { dialects: [tir] });
    expect([...workShares(module).values()]).toEqual([1]);
  });

  it("gives nothing to what nobody calls", () => {
    expect(shares.get("unused")).toBe(0);
  });
});
