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

  it("gives nothing to what nobody calls", () => {
    expect(shares.get("unused")).toBe(0);
  });
});
