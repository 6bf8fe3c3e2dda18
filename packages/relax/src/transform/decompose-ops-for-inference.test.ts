import { it } from "vitest";
import { decomposeOpsForInference } from "./decompose-ops-for-inference.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("sizes that a tensor holds get names", () =>
  expectPass(
    decomposeOpsForInference(),
    `
@R.function
def main(s: R.Tensor((2,), "int64"), x: R.Tensor((16,), "float32")) -> R.Tensor("float32", ndim=2):
    shape = R.tensor_to_shape(s)
    y = R.reshape(x, shape)
    return y
`,
    `
@R.function
def main(s: R.Tensor((2,), "int64"), x: R.Tensor((16,), "float32")) -> R.Tensor("float32", ndim=2):
    n = T.int64()
    m = T.int64()
    read = R.call_pure_packed("vm.builtin.tensor_to_shape", s, sinfo_args=(R.Shape(ndim=2),))
    known = R.match_cast(read, R.Shape([n, m]))
    shape: R.Shape([n, m]) = R.shape([n, m])
    y: R.Tensor((n, m), "float32") = R.reshape(x, shape)
    return y
`,
  ));

it("only the function that is named, if one is", () => {
  const dropout = (name: string): string => `
@R.function
def ${name}(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    d = R.nn.dropout(x, rate=0.5)
    y = d[0]
    return y
`;
  expectPass(
    decomposeOpsForInference("first"),
    dropout("first") + dropout("second"),
    `
@R.function
def first(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    mask = R.ones_like(x)
    d = (x, mask)
    y = x
    return y
${dropout("second")}`,
  );
});
