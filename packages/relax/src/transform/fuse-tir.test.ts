import { contextEntry, irDialect, passContext, runPass } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { fuseTIR } from "./fuse-tir.ts";

const scripts = [tir, relax];

it("a tuple that a primitive function takes is passed to the program field by field", () => {
  const module = parse(`
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def neg(a: T.Buffer((T.int64(2),), "float32"), b: T.Buffer((T.int64(2),), "float32")):
        for i in range(T.int64(2)):
            with T.block("b"):
                v = T.axis.spatial(T.int64(2), i)
                b[v] = T.float32(0) - a[v]

    @R.function(private=True)
    def fused(t: R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
        R.func_attr({"Primitive": True})
        cls = Module
        with R.dataflow():
            lv = t[1]
            gv = R.call_tir(cls.neg, (lv,), out_sinfo=R.Tensor((2,), "float32"))
            R.output(gv)
        return gv

    @R.function
    def main(t: R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
        cls = Module
        with R.dataflow():
            gv = cls.fused(t)
            R.output(gv)
        return gv
`, { dialects: scripts });
  const ctx = passContext({ dialects: [irDialect, ...scripts], entries: [contextEntry(opRegistryKey, relaxOps)] });
  const text = print(runPass(fuseTIR(), module, ctx), { dialects: scripts });
  expect(text).toMatch(/lv\d*: R\.Tensor\(\(2,\), dtype="float32"\) = t\[0\]\n\s+lv\d*: R\.Tensor\(\(2,\), dtype="float32"\) = t\[1\]/);
  expect(text).toMatch(/R\.call_tir\(cls\.fused, \(lv\d*, lv\d*\)/);
});
