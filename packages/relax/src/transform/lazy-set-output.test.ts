import { it } from "vitest";
import { lazySetOutput } from "./lazy-set-output.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("results are handed on as soon as they are there", () =>
  expectPass(
    lazySetOutput(),
    `
@R.function
def main(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32")) -> R.Tuple(R.Tensor((3,), "float32"), R.Tensor((3,), "float32")):
    R.func_attr({"num_input": 1})
    a = R.exp(x)
    b = R.add(a, w)
    return (b, x)
`,
    `
@R.function(pure=False)
def main(x: R.Tensor((3,), "float32"), fset_output: R.Callable([R.Prim("int64"), R.Object], R.Tuple([]), purity=False), w: R.Tensor((3,), "float32")) -> R.Tuple([]):
    R.func_attr({"num_input": 2})
    _ = fset_output(R.prim_value(1), x)
    a = R.exp(x)
    b = R.add(a, w)
    _1 = fset_output(R.prim_value(0), b)
    return R.tuple()
`,
  ));
