import { sequential } from "@verticil/ir-core";
import { it } from "vitest";
import { attachGlobalSymbol } from "./attach-global-symbol.ts";
import { expectPass } from "./testing/expect-pass.ts";

const module = (attrs: string, program: string, isPrivate: boolean): string => `${attrs}
@T.prim_func(private=${isPrivate ? "True" : "False"})
def ${program}(A: T.Buffer((2,), "float32")):
    for i in range(2):
        with T.block("b"):
            v = T.axis.spatial(2, i)
            A[v] = T.float32(0)

@R.function(private=${isPrivate ? "True" : "False"})
def main() -> R.Tensor((2,), "float32"):
    y = R.call_tir(Module.${program}, (), out_sinfo=R.Tensor((2,), "float32"))
    return y
`;

it("private functions become public", () => expectPass(attachGlobalSymbol(), module("", "zeros", true), module("", "zeros", false)));

it("tensor programs are named with the module's prefix, once, and so are their calls", () => {
  const attrs = `I.module_attrs({"system_lib_prefix": "my_"})`;
  expectPass(sequential("twice", [attachGlobalSymbol(), attachGlobalSymbol()]), module(attrs, "zeros", true), module(attrs, "my_zeros", false));
});
