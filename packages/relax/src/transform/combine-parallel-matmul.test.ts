import { it } from "vitest";
import { combineParallelMatmul } from "./combine-parallel-matmul.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("products of one tensor become one, with the biases and activations that all have", () =>
  expectPass(
    combineParallelMatmul(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), v: R.Tensor((4, 3,), "float32"), w: R.Tensor((4, 5,), "float32"), b: R.Tensor((3,), "float32"), c: R.Tensor((5,), "float32")) -> R.Tuple(R.Tensor((2, 3,), "float32"), R.Tensor((2, 5,), "float32")):
    with R.dataflow():
        p = R.matmul(x, v)
        q = R.add(p, b)
        r = R.nn.relu(q)
        s = R.matmul(x, w)
        t = R.add(s, c)
        u = R.nn.relu(t)
        y = (r, u)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), v: R.Tensor((4, 3,), "float32"), w: R.Tensor((4, 5,), "float32"), b: R.Tensor((3,), "float32"), c: R.Tensor((5,), "float32")) -> R.Tuple(R.Tensor((2, 3,), "float32"), R.Tensor((2, 5,), "float32")):
    with R.dataflow():
        p = R.concat((v, w), axis=1)
        q = R.matmul(x, p, out_dtype="float32")
        r = R.concat((b, c), axis=0)
        s = R.add(q, r)
        t = R.nn.relu(s)
        u = R.split(t, [3], axis=1)
        m = u[0]
        n = u[1]
        y = (m, n)
        R.output(y)
    return y
`,
  ));

it("a check may refuse", () =>
  expectPass(
    combineParallelMatmul((_, rhs) => rhs.length > 2),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), v: R.Tensor((4, 3,), "float32"), w: R.Tensor((4, 5,), "float32"), b: R.Tensor((3,), "float32"), c: R.Tensor((5,), "float32")) -> R.Tuple(R.Tensor((2, 3,), "float32"), R.Tensor((2, 5,), "float32")):
    with R.dataflow():
        p = R.matmul(x, v)
        q = R.matmul(x, w)
        y = (p, q)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), v: R.Tensor((4, 3,), "float32"), w: R.Tensor((4, 5,), "float32"), b: R.Tensor((3,), "float32"), c: R.Tensor((5,), "float32")) -> R.Tuple(R.Tensor((2, 3,), "float32"), R.Tensor((2, 5,), "float32")):
    with R.dataflow():
        p = R.matmul(x, v)
        q = R.matmul(x, w)
        y = (p, q)
        R.output(y)
    return y
`,
  ));
