import { it } from "vitest";
import { lazyGetInput } from "./lazy-get-input.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("weights are asked for where they are first needed", () =>
  expectPass(
    lazyGetInput(),
    `
@R.function
def main(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32"), b: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        m = R.multiply(x, w)
        y = R.add(m, b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((3,), "float32"), fget_param: R.Callable([R.Prim("int64"), R.Object], R.Object)) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 2})
    with R.dataflow():
        u = fget_param(R.prim_value(0), R.str("w"))
        w = R.match_cast(u, R.Tensor((3,), "float32"))
        m = R.multiply(x, w)
        v = fget_param(R.prim_value(1), R.str("b"))
        b = R.match_cast(v, R.Tensor((3,), "float32"))
        y = R.add(m, b)
        R.output(w, b, y)
    return y
`,
  ));
