import { it } from "vitest";
import { dataflowUseInplaceCalls } from "./dataflow-use-inplace-calls.ts";
import { expectPass } from "./testing/expect-pass.ts";

const main = (body: string): string => `
@R.function
def main(x: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    with R.dataflow():
${body.replace(/^(?=.)/gm, "        ")}
        R.output(y)
    return y
`;
const unchanged = (body: string): void => expectPass(dataflowUseInplaceCalls(), main(body), main(body));

it("a value that is not used later is written over", () =>
  expectPass(
    dataflowUseInplaceCalls(),
    main("a = R.exp(x)\ny = R.multiply(a, x)"),
    `
@T.prim_func(private=True)
def multiply_inplace(A: T.Buffer((T.int64(2), T.int64(3)), "float32"), B: T.Buffer((T.int64(2), T.int64(3)), "float32")):
    T.func_attr({"tir.noalias": True})
    for i, j in T.grid(T.int64(2), T.int64(3)):
        with T.block("T_multiply"):
            v, w = T.axis.remap("SS", [i, j])
            T.reads(A[v, w], B[v, w])
            T.writes(A[v, w])
            A[v, w] = A[v, w] * B[v, w]

@R.function
def main(x: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    cls = Module
    with R.dataflow():
        a = R.exp(x)
        y = R.call_tir_inplace(cls.multiply_inplace, (a, x), inplace_indices=[0], out_sinfo=R.Tensor((2, 3), "float32"))
        R.output(y)
    return y
`,
  ));

it("an argument of the function is kept", () => unchanged("y = R.multiply(x, x)"));

it("a constant is kept", () => unchanged('c = R.const([[1, 2, 3], [4, 5, 6]], "float32")\ny = R.multiply(c, x)'));

it("what another shape of the value needs is kept", () =>
  unchanged("a = R.exp(x)\nb = R.reshape(a, R.shape([6]))\ns = R.multiply(a, x)\nt = R.reshape(b, R.shape([2, 3]))\ny = R.maximum(s, t)"));

it("what a tuple holds is kept while it is taken from later", () =>
  unchanged("a = R.exp(x)\nt = (a, x)\ns = R.add(a, x)\nb = t[0]\ny = R.maximum(s, b)"));
