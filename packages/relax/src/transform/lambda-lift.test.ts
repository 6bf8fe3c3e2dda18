import { it } from "vitest";
import { lambdaLift } from "./lambda-lift.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what a local function uses from around it comes first", () =>
  expectPass(
    lambdaLift(),
    `
@R.function
def main(x: R.Tensor(("n",), "float32"), y: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    @R.function
    def inner(z: R.Tensor((n,), "float32")) -> R.Tensor((n,), "float32"):
        w = R.add(y, z)
        return w
    gv = inner(x)
    return gv
`,
    `
@R.function(private=True)
def main_inner(y: R.Tensor(("n",), dtype="float32"), z: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n",), dtype="float32"):
    n = T.int64()
    w = R.add(y, z)
    return w

@R.function
def main(x: R.Tensor(("n",), dtype="float32"), y: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n",), dtype="float32"):
    n = T.int64()
    cls = Module
    inner: R.Callable((R.Tensor((n,), dtype="float32"),), R.Tensor((n,), dtype="float32"), True) = R.make_closure(cls.main_inner, (y,))
    gv: R.Tensor((n,), dtype="float32") = R.invoke_closure(inner, (x,), sinfo_args=(R.Tensor((n,), dtype="float32"),))
    return gv
`,
  ));
