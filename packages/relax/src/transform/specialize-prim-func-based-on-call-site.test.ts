import { expect, it } from "vitest";
import { specializePrimFuncBasedOnCallSite } from "./specialize-prim-func-based-on-call-site.ts";
import { expectPass } from "./testing/expect-pass.ts";

const devices = `
I.module_global_infos({"vdevice": [I.vdevice("opencl", 0, "global.texture-weight"), I.vdevice("opencl", 0, "global")]})
`;
const texture = 'R.Tensor((4,), "float32", "opencl:0:global.texture-weight")';
const plain = 'R.Tensor((4,), "float32", "opencl:1:global")';

const program = (attrs: string, scope: string): string => `
@T.prim_func(private=True)
def f(a: T.handle, b: T.handle):
    T.func_attr({${attrs}})
    A = T.match_buffer(a, (T.int64(4),), scope="${scope}")
    B = T.match_buffer(b, (T.int64(4),))
    for i in range(T.int64(4)):
        with T.block("B"):
            v = T.axis.spatial(T.int64(4), i)
            B[v] = A[v] + T.float32(1)
`;
const main = (body: string): string => `
@R.function
def main(x: ${texture}, y: ${plain}) -> ${plain}:
    cls = Module
${body}
    return z
`;
const call = main(`    z = R.call_tir(cls.f, (x,), out_sinfo=${plain})`);

it("a buffer lies where the tensor lies that the program is called with", () =>
  expectPass(specializePrimFuncBasedOnCallSite(), `${devices}${program('"tir.noalias": True', "global")}${call}`, `${devices}${program('"tir.noalias": True, "scoped": 1', "global.texture-weight")}${call}`));

it("one program cannot serve tensors in other scopes", () => {
  const text = `${devices}${program('"tir.noalias": True', "global")}${main(`    w = R.call_tir(cls.f, (x,), out_sinfo=${plain})\n    z = R.call_tir(cls.f, (y,), out_sinfo=${plain})`)}`;
  expect(() => expectPass(specializePrimFuncBasedOnCallSite(), text, text)).toThrow("is called with tensors in");
});
