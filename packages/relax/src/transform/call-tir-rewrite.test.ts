import { it } from "vitest";
import { callTIRRewrite } from "./call-tir-rewrite.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a function of the host is handed what it writes into", () =>
  expectPass(
    callTIRRewrite(),
    `
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.call_dps_packed("double_into", (x,), out_sinfo=R.Tensor((n,), "float32"))
    return y
`,
    `
@R.function(pure=False)
def main(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    alloc = R.builtin.alloc_tensor(R.shape([n]), R.dtype("float32"), R.prim_value(0), R.str("global"))
    R.call_packed("double_into", x, alloc, sinfo_args=(R.Tuple,))
    y = alloc
    return y
`,
  ));
