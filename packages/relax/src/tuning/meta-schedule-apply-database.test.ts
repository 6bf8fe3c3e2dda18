import { contextEntry, irDialect, makeGlobalVar, makeIRModule, passContext, runPass, type IRModule } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { constant, floorDiv, floorMod, makeIndexMap, makeVar, Schedule, tir, type IndexMap, type PrimFunc } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { metaScheduleApplyDatabase, tuningLookupKey, type TuningLookup } from "./meta-schedule-apply-database.ts";

const scripts = [tir, relax];
const dialects = [irDialect, ...scripts];
expect.extend(irMatchers({ dialects, print: (n) => print(n, { dialects: scripts }) }));

function moduleOf(opts: { readonly attrs?: string; readonly weight?: string; readonly shape?: string; readonly loops?: string; readonly block?: string }): IRModule {
  const { attrs = "", weight = '"float32"', shape = "(T.int64(4),)", loops = "for i in range(T.int64(4)):", block = "v = T.axis.spatial(T.int64(4), i)" } = opts;
  return parse(
    `
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def add(a: T.Buffer((T.int64(4),), "float32"), w: T.Buffer(${shape}, "float32"), b: T.Buffer((T.int64(4),), "float32")):
        ${attrs}
        ${loops}
            with T.block("b"):
                ${block}
                b[v] = a[v] + w[${shape === "(T.int64(4),)" ? "v" : "v // T.int64(2), v % T.int64(2)"}]

    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        cls = Module
        with R.dataflow():
            gv = R.call_tir(cls.add, (x, R.const(${weight})), out_sinfo=R.Tensor((4,), "float32"))
            R.output(gv)
        return gv
`,
    { dialects: scripts },
  );
}

const flat = '[1.0, 2.0, 3.0, 4.0], "float32"';
const scheduled = 'T.func_attr({"tir.is_scheduled": T.bool(True)})';

function apply(lookup: TuningLookup): IRModule {
  const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(tuningLookupKey, lookup)];
  return runPass(metaScheduleApplyDatabase(), moduleOf({ weight: flat }), passContext({ dialects, entries }));
}

function schedule(func: PrimFunc, run: (sch: Schedule) => void): PrimFunc {
  const sch = new Schedule(makeIRModule(new Map([[makeGlobalVar("main"), func]])));
  run(sch);
  return [...sch.mod.functions.values()][0] as PrimFunc;
}

function pairs(): IndexMap {
  const v = makeVar("i", "int64");
  return makeIndexMap([v], [floorDiv(v, constant(2, "int64")), floorMod(v, constant(2, "int64"))]);
}

it("warns of programs that the database does not know, if `enableWarning` is set", () => {
  const warned = (enableWarning: boolean): readonly string[] => {
    const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry<TuningLookup>(tuningLookupKey, () => undefined)];
    const ctx = passContext({ dialects, entries });
    runPass(metaScheduleApplyDatabase({ enableWarning }), moduleOf({ weight: flat }), ctx);
    return ctx.diagnostics.all.map((d) => `${d.code}: ${d.message}`);
  };
  expect(warned(true)).toEqual(["relax/not-tuned: The tuning database has no schedule of `add`."]);
  expect(warned(false)).toEqual([]);
});

it("gives a program the schedule of the database and marks it", () => {
  const module = apply((func) => ({ func: schedule(func, (s) => s.split(s.getLoops("b")[0]!, [2, 2])), layout: [] }));
  const expected = moduleOf({ attrs: scheduled, weight: flat, loops: "for i, j in T.grid(T.int64(2), T.int64(2)):", block: "v = T.axis.spatial(T.int64(4), i * T.int64(2) + j)" });
  expect(module).toEqualIr(expected);
});

it("packs the weight that the schedule wants in another layout", () => {
  const module = apply((func, layoutFree) => {
    expect(layoutFree).toEqual([1]);
    return { func: schedule(func, (s) => s.transformLayout("b", ["read", 1], pairs())), layout: [{ param: 1, indexMap: pairs() }] };
  });
  expect(module).toEqualIr(moduleOf({ attrs: scheduled, weight: '[[1.0, 2.0], [3.0, 4.0]], "float32"', shape: "(T.int64(2), T.int64(2))" }));
});

it("leaves alone what the database does not know, and everything where there is none", () => {
  const module = moduleOf({ weight: flat });
  expect(apply(() => undefined)).toEqualIr(module);
  expect(runPass(metaScheduleApplyDatabase(), module, passContext({ dialects }))).toBe(module);
});
