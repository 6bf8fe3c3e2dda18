import { contextEntry, irDialect, passContext, runPass } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { relax } from "../script/relax-script.ts";
import type { ExtractedTask } from "./extract-tasks.ts";
import { metaScheduleTuneTIR, tirTunerKey } from "./meta-schedule-tune-tir.ts";

const program = (name: string, attrs = ""): string => `
    @T.prim_func(private=True)
    def ${name}(a: T.Buffer((T.int64(3),), "float32"), w: T.Buffer((T.int64(3),), "float32"), b: T.Buffer((T.int64(3),), "float32")):
        ${attrs}
        for i in range(T.int64(3)):
            with T.block("b"):
                v = T.axis.spatial(T.int64(3), i)
                b[v] = a[v] + w[v]
`;

const module = parse(
  `
@I.ir_module
class Module:${program("called")}${program("alone")}${program("done", 'T.func_attr({"tir.is_scheduled": T.bool(True)})')}
    @R.function
    def main(x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
        cls = Module
        with R.dataflow():
            a = R.call_tir(cls.called, (x, R.const([1.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            b = R.call_tir(cls.called, (a, R.const([4.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            R.output(b)
        return b
`,
  { dialects: [tir, relax] },
);

it("hands every program without a schedule to the tuner, equal ones each, and changes nothing", () => {
  const given: ExtractedTask[] = [];
  const ctx = passContext({ dialects: [irDialect, tir, relax], entries: [contextEntry(tirTunerKey, (t: ExtractedTask) => void given.push(t))] });
  expect(runPass(metaScheduleTuneTIR(), module, ctx)).toBe(module);
  expect(given.map((t) => [t.name, t.weight, t.layoutFree])).toEqual([
    ["called", 2, [1]],
    ["alone", 1, []],
  ]);
});

it("does nothing without a tuner", () => {
  expect(runPass(metaScheduleTuneTIR(), module, passContext({ dialects: [irDialect, tir, relax] }))).toBe(module);
});
