import { it } from "vitest";
import { flattenTupleInputs } from "./flatten-tuple-inputs.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("fields of tuples become inputs, nested ones too, and so do their names", () =>
  expectPass(
    flattenTupleInputs(),
    `
@R.function
def main(a: R.Tensor((2,), "float32"), t: R.Tuple(R.Tensor((2,), "float32"), R.Tuple(R.Tensor((2,), "float32")))) -> R.Tensor((2,), "float32"):
    R.func_attr({"input_names": ["first", "rest"]})
    b = t[0]
    u = t[1]
    c = u[0]
    d = R.add(b, c)
    y = R.add(a, d)
    return y
`,
    `
@R.function
def main(a: R.Tensor((2,), "float32"), t_0: R.Tensor((2,), "float32"), t_1_0: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    R.func_attr({"input_names": ["first", "rest_0", "rest_1_0"]})
    t_1 = (t_1_0,)
    t = (t_0, t_1)
    d = R.add(t_0, t_1_0)
    y = R.add(a, d)
    return y
`,
  ));

it("a main that calls itself stays", () => {
  const text = `
@R.function
def main(c: R.Tensor((), "bool"), t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    if c:
        y = t[0]
    else:
        y = Module.main(c, t)
    return y
`;
  expectPass(flattenTupleInputs(), text, text);
});
