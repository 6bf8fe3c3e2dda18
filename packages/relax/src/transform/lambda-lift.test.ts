import { it } from "vitest";
import { lambdaLift } from "./lambda-lift.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what a local function uses from around it comes last", () =>
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
def main_inner(z: R.Tensor(("n",), dtype="float32"), y: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n",), dtype="float32"):
    n = T.int64()
    w = R.add(y, z)
    return w

@R.function
def main(x: R.Tensor(("n",), dtype="float32"), y: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n",), dtype="float32"):
    n = T.int64()
    cls = Module
    inner: R.Callable((R.Tensor((n,), dtype="float32"),), R.Tensor((n,), dtype="float32"), True) = R.make_closure(cls.main_inner, (y,))
    gv: R.Tensor((n,), dtype="float32") = R.invoke_pure_closure(inner, (x,), sinfo_args=(R.Tensor((n,), dtype="float32"),))
    return gv
`,
  ));

it("one that uses nothing from around it needs no closure, even if it calls itself", () =>
  expectPass(
    lambdaLift(),
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    @R.function
    def loop(c: R.Tensor((), "bool"), z: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
        if c:
            d = R.logical_not(c)
            e = R.exp(z)
            w: R.Tensor((3,), "float32") = loop(d, e)
        else:
            w = z
        return w
    gv = loop(c, x)
    return gv
`,
    `
@R.function(private=True)
def main_loop(c: R.Tensor((), "bool"), z: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    cls = Module
    if c:
        d = R.logical_not(c)
        e = R.exp(z)
        w: R.Tensor((3,), "float32") = cls.main_loop(d, e)
    else:
        w = z
    return w

@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    cls = Module
    gv = cls.main_loop(c, x)
    return gv
`,
  ));

it("calls of itself hand on what a local function uses from around it; names that are taken get a number", () =>
  expectPass(
    lambdaLift(),
    `
@R.function
def main_loop(x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    return x

@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    @R.function
    def loop(d: R.Tensor((), "bool")) -> R.Tensor((3,), "float32"):
        if d:
            e = R.logical_not(d)
            w: R.Tensor((3,), "float32") = loop(e)
        else:
            w = x
        return w
    gv = loop(c)
    return gv
`,
    `
@R.function(private=True)
def main_loop_0(d: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    cls = Module
    if d:
        e = R.logical_not(d)
        w: R.Tensor((3,), "float32") = cls.main_loop_0(e, x)
    else:
        w = x
    return w

@R.function
def main_loop(x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    return x

@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    cls = Module
    loop: R.Callable((R.Tensor((), "bool"),), R.Tensor((3,), "float32"), True) = R.make_closure(cls.main_loop_0, (x,))
    gv: R.Tensor((3,), "float32") = R.invoke_pure_closure(loop, (c,), sinfo_args=(R.Tensor((3,), "float32"),))
    return gv
`,
  ));
