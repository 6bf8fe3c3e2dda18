import { it } from "vitest";
import { liftTransformParams } from "./lift-transform-params.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what is computed of weights alone is computed once, and takes their place", () =>
  expectPass(
    liftTransformParams(),
    `
@R.function
def main(x: R.Tensor((2, 3,), "float32"), w: R.Tensor((4, 3,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        p = R.permute_dims(w)
        q = R.matmul(x, p)
        y = R.add(q, b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 3,), "float32"), b: R.Tensor((4,), "float32"), p: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        q = R.matmul(x, p)
        y = R.add(q, b)
        R.output(y)
    return y

@R.function
def main_transform_params(params: R.Tuple(R.Tensor((4, 3,), "float32"), R.Tensor((4,), "float32"))) -> R.Tuple(R.Tensor((4,), "float32"), R.Tensor((3, 4,), "float32")):
    R.func_attr({"num_input": 0})
    with R.dataflow():
        w = params[0]
        p = R.permute_dims(w)
        b = params[1]
        y = (b, p)
        R.output(y)
    return y
`,
  ));

it("sizes that only the weights knew are handed over", () =>
  expectPass(
    liftTransformParams(),
    `
@R.function
def main(x: R.Tensor((2,), "float32"), w: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    R.func_attr({"num_input": 1})
    with R.dataflow():
        s = R.sum(w)
        z = R.zeros(R.shape([n]), "float32")
        u = R.sum(x)
        v = R.add(z, u)
        y = R.add(v, s)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32"), sizes: R.Shape(["n"]), s: R.Tensor((), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    R.func_attr({"num_input": 1})
    with R.dataflow():
        z = R.zeros(R.shape([n]), "float32")
        u = R.sum(x)
        v = R.add(z, u)
        y = R.add(v, s)
        R.output(y)
    return y

@R.function
def main_transform_params(params: R.Tuple(R.Tensor(("n",), "float32"))) -> R.Tuple(R.Shape(["n"]), R.Tensor((), "float32")):
    n = T.int64()
    R.func_attr({"num_input": 0})
    with R.dataflow():
        w = params[0]
        s = R.sum(w)
        y = (R.shape([n]), s)
        R.output(y)
    return y
`,
  ));

it("functions that share weights share what all of them compute", () =>
  expectPass(
    liftTransformParams({ sharedTransform: true }),
    `
@R.function
def f(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        e = R.exp(w)
        y = R.add(x, e)
        R.output(y)
    return y

@R.function
def g(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        e = R.exp(w)
        a = R.abs(e)
        y = R.multiply(x, a)
        R.output(y)
    return y
`,
    `
@R.function
def f(x: R.Tensor((3,), "float32"), e: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        y = R.add(x, e)
        R.output(y)
    return y

@R.function
def g(x: R.Tensor((3,), "float32"), e: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        a = R.abs(e)
        y = R.multiply(x, a)
        R.output(y)
    return y

@R.function
def transform_params(params: R.Tuple(R.Tensor((3,), "float32"))) -> R.Tuple(R.Tensor((3,), "float32")):
    R.func_attr({"num_input": 0})
    with R.dataflow():
        w = params[0]
        e = R.exp(w)
        y = (e,)
        R.output(y)
    return y
`,
  ));


const transposed = `
@R.function
def main(x: R.Tensor((2, 3,), "float32"), w: R.Tensor((4, 3,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        p = R.permute_dims(w)
        y = R.matmul(x, p)
        R.output(y)
    return y
`;

it("weights can be let go once they are taken", () =>
  expectPass(
    liftTransformParams({ consumeParams: true }),
    transposed,
    `
@R.function
def main(x: R.Tensor((2, 3,), "float32"), p: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        y = R.matmul(x, p)
        R.output(y)
    return y

@R.function
def main_transform_params(params: R.Tuple(R.Tensor((4, 3,), "float32"))) -> R.Tuple(R.Tensor((3, 4,), "float32")):
    R.func_attr({"num_input": 0})
    with R.dataflow():
        w = params[0]
        _ = R.call_pure_packed("vm.builtin.tuple_reset_item", params, R.prim_value(T.int32(0)), sinfo_args=(R.Tuple,))
        p = R.permute_dims(w)
        y = (p,)
        R.output(y)
    return y
`,
  ));
