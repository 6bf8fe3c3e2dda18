import { contextEntry, irDialect, passContext, runPass, type IRModule } from "@verticil/ir-core";
import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { constant, floorDiv, floorMod, makeIndexMap, makeVar, tir, type IndexMap } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { callTirParts } from "../ir/call-target.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { packConstants } from "./pack-constants.ts";
import { packTensor } from "./pack-tensor.ts";

const scripts = [tir, relax];

function pairs(): IndexMap {
  const v = makeVar("i", "int64");
  const two = constant(2, "int64");
  return makeIndexMap([v], [floorDiv(v, two), floorMod(v, two)]);
}

function moduleWith(second: string): IRModule {
  return parse(`
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def add(a: T.Buffer((T.int64(3),), "float32"), w: T.Buffer((T.int64(3),), "float32"), b: T.Buffer((T.int64(3),), "float32")):
        for i in range(T.int64(3)):
            with T.block("b"):
                v = T.axis.spatial(T.int64(3), i)
                b[v] = a[v] + w[v]

    @R.function
    def main(x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
        cls = Module
        with R.dataflow():
            lv = R.call_tir(cls.add, (x, R.const([1.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            gv = R.call_tir(cls.add, (lv, ${second}), out_sinfo=R.Tensor((3,), "float32"))
            R.output(gv)
        return gv
`, { dialects: scripts });
}

function packed(module: IRModule): IRModule {
  const ctx = passContext({ dialects: [irDialect, ...scripts], entries: [contextEntry(opRegistryKey, relaxOps)] });
  const pass = packConstants((func) => ({ func, param: 1, indexMap: pairs() }));
  return runPass(pass, module, ctx);
}

/** Shape and elements of the constant that each `call_tir` passes. */
function constantsOf(module: IRModule): readonly unknown[] {
  const { body } = [...module.functions.values()].find(isRelaxFunction)!;
  if (body.kind !== "relax.SeqExpr") return [];
  return body.blocks.flatMap((b) => b.bindings).map(({ value }) => {
    const constant = callTirParts(value)?.args.fields[1];
    return constant?.kind === "relax.Constant" ? [constant.data.shape, [...(constant.data.data as Float32Array)]] : undefined;
  });
}

describe("packConstants", () => {
  it("packs the constant at every call", () => {
    expect(constantsOf(packed(moduleWith('R.const([4.0, 5.0, 6.0], "float32")')))).toEqual([
      [[2, 2], [1, 2, 3, 0]],
      [[2, 2], [4, 5, 6, 0]],
    ]);
  });

  it("leaves a program that some call gives no constant", () => {
    const module = moduleWith("x");
    expect(packed(module)).toBe(module);
  });
});

describe("packTensor", () => {
  const data = (t: Tensor): readonly unknown[] => [...(t.data as Float32Array)];

  it("moves each element to its new place", () => {
    const [i, j] = [makeVar("i", "int64"), makeVar("j", "int64")];
    const t = packTensor(tensorFrom([1, 2, 3, 4, 5, 6], [2, 3], "float32"), makeIndexMap([i, j], [j, i]));
    expect([t.shape, data(t)]).toEqual([[3, 2], [1, 4, 2, 5, 3, 6]]);
  });

  it("fills with zeros what no element moves to", () => {
    const t = packTensor(tensorFrom([1, 2, 3], [3], "int8"), pairs());
    expect([t.shape, data(t)]).toEqual([[2, 2], [1, 2, 3, 0]]);
  });

  it("refuses an index of several indices", () => {
    const [i, j] = [makeVar("i", "int64"), makeVar("j", "int64")];
    const map = makeIndexMap([i, j], [{ ...floorDiv(i, constant(2, "int64")), kind: "tir.Add", a: i, b: j } as never]);
    expect(() => packTensor(tensorFrom([1, 2], [1, 2], "float32"), map)).toThrow(RangeError);
  });
});
