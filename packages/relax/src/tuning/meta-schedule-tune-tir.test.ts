import { contextEntry, irDialect, passContext, runPass } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { relax } from "../script/relax-script.ts";
import type { ExtractedTask } from "./extract-tasks.ts";
import { metaScheduleTuneIRMod, type MetaScheduleTuneIRModOptions } from "./meta-schedule-tune-irmod.ts";
import { metaScheduleTuneTIR, tirTunerKey, type TuningBudget } from "./meta-schedule-tune-tir.ts";

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

function tunedIRMod(opts: MetaScheduleTuneIRModOptions): readonly (readonly [task: ExtractedTask, budget: TuningBudget])[] {
  const given: (readonly [ExtractedTask, TuningBudget])[] = [];
  const ctx = passContext({ dialects: [irDialect, tir, relax], entries: [contextEntry(tirTunerKey, (t: ExtractedTask, budget: TuningBudget) => void given.push([t, budget]))] });
  expect(runPass(metaScheduleTuneIRMod(opts), module, ctx)).toBe(module);
  return given;
}

it("hands what the graph calls to the tuner once, with how much it may measure", () => {
  const budget = { workDir: "tuning", maxTrialsGlobal: 64, maxTrialsPerTask: 8 };
  expect(tunedIRMod(budget).map(([t, b]) => [t.name, t.weight, b])).toEqual([["called", 2, budget]]);
});

it("leaves programs out that `opNames` does not name", () => {
  expect(tunedIRMod({ opNames: ["matmul"] })).toEqual([]);
  expect(tunedIRMod({ opNames: ["matmul", "call"] })).toHaveLength(1);
});

it("does nothing without a tuner", () => {
  expect(runPass(metaScheduleTuneTIR(), module, passContext({ dialects: [irDialect, tir, relax] }))).toBe(module);
});
