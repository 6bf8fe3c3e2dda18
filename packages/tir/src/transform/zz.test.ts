import { test, expect } from "vitest";
import { makeIRModule, makeGlobalVar, passContext, runPass, irDialect } from "@verticil/ir-core";
import { print, parse } from "@verticil/tvmscript";
import { tir } from "../script/tir-script.ts";
import { lowerTir } from "./lower-tir.ts";
import { irScript } from "@verticil/tvmscript";
const text = `
from tvm.script import ir as I
from tvm.script import tir as T

@I.ir_module
class Module:
    @T.prim_func
    def main(X: T.Buffer((T.int64(1), T.int64(10), T.int64(10), T.int64(6)), "float32"), K: T.Buffer((T.int64(3), T.int64(3), T.int64(6), T.int64(8)), "float32"), Y: T.Buffer((T.int64(1), T.int64(10), T.int64(10), T.int64(8)), "float32")):
        T.func_attr({"tir.noalias": T.bool(True)})
        pad = T.alloc_buffer((T.int64(1), T.int64(12), T.int64(12), T.int64(6)))
        acc = T.alloc_buffer((T.int64(1), T.int64(10), T.int64(10), T.int64(8)), scope="local")
        for h in range(T.int64(10)):
            for a1, a2, a3 in T.grid(T.int64(3), T.int64(12), T.int64(6)):
                with T.block("pad"):
                    v1 = T.axis.spatial(T.int64(12), h + a1)
                    v2 = T.axis.spatial(T.int64(12), a2)
                    v3 = T.axis.spatial(T.int64(6), a3)
                    pad[T.int64(0), v1, v2, v3] = T.if_then_else(T.int64(1) <= v1 and v1 < T.int64(11) and T.int64(1) <= v2 and v2 < T.int64(11), X[T.int64(0), v1 - T.int64(1), v2 - T.int64(1), v3], T.float32(0))
            for w0 in range(T.int64(3)):
                for w1 in T.unroll(T.int64(4)):
                    for c in T.vectorized(T.int64(8)):
                        with T.block("init"):
                            vw = T.axis.spatial(T.int64(10), w0 * T.int64(4) + w1)
                            vc = T.axis.spatial(T.int64(8), c)
                            vh = T.axis.spatial(T.int64(10), h)
                            T.where(w0 * T.int64(4) + w1 < T.int64(10))
                            acc[T.int64(0), vh, vw, vc] = T.float32(0)
                for kh, kw, ic in T.grid(T.int64(3), T.int64(3), T.int64(6)):
                    for w1 in T.unroll(T.int64(4)):
                        for c in T.vectorized(T.int64(8)):
                            with T.block("conv"):
                                vw = T.axis.spatial(T.int64(10), w0 * T.int64(4) + w1)
                                vc = T.axis.spatial(T.int64(8), c)
                                vh = T.axis.spatial(T.int64(10), h)
                                vkh, vkw, vic = T.axis.remap("RRR", [kh, kw, ic])
                                T.where(w0 * T.int64(4) + w1 < T.int64(10))
                                acc[T.int64(0), vh, vw, vc] = acc[T.int64(0), vh, vw, vc] + pad[T.int64(0), vh + vkh, vw + vkw, vic] * K[vkh, vkw, vic, vc]
                for w1 in T.unroll(T.int64(4)):
                    for c in T.vectorized(T.int64(8)):
                        with T.block("out"):
                            vw = T.axis.spatial(T.int64(10), w0 * T.int64(4) + w1)
                            vc = T.axis.spatial(T.int64(8), c)
                            vh = T.axis.spatial(T.int64(10), h)
                            T.where(w0 * T.int64(4) + w1 < T.int64(10))
                            Y[T.int64(0), vh, vw, vc] = T.max(acc[T.int64(0), vh, vw, vc], T.float32(0))
`;
test("x", () => {
  const dialects = [irScript, tir] as any;
  const m = parse(text, { dialects });
  const ctx = passContext({ dialects });
  let cur = m;
  const show = process.env.SHOW;
  for (const p of lowerTir().passes) { cur = runPass(p, cur, ctx); if (show === "all" || show === p.name) console.log("=== " + p.name + "\n" + print(cur, { dialects })); }
  console.log(print(cur, { dialects }));
});
