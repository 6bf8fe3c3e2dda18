import { expect, it } from "vitest";
import { realizeVDevice } from "./realize-vdevice.ts";
import { expectPass } from "./testing/expect-pass.ts";

const devices = `
I.module_global_infos({"vdevice": [I.vdevice("llvm"), I.vdevice("cuda", 0)]})
`;

it("a hint places what is computed together, and moves what lies elsewhere", () =>
  expectPass(
    realizeVDevice(),
    `${devices}
@R.function
def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32"), z: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    h = R.hint_on_device(y, R.cpu())
    a = R.add(x, h)
    b = R.hint_on_device(a, R.cuda())
    c = R.multiply(b, z)
    return c
`,
    `${devices}
@R.function
def main(x: R.Tensor((2,), "float32", "llvm"), y: R.Tensor((2,), "float32", "llvm"), z: R.Tensor((2,), "float32", "cuda")) -> R.Tensor((2,), "float32", "cuda"):
    h: R.Tensor((2,), "float32", "llvm") = y
    a: R.Tensor((2,), "float32", "llvm") = R.add(x, h)
    b: R.Tensor((2,), "float32", "cuda") = R.to_vdevice(a, "cuda")
    c: R.Tensor((2,), "float32", "cuda") = R.multiply(b, z)
    return c
`,
  ));

it("the device of a result reaches what it is computed of", () =>
  expectPass(
    realizeVDevice(),
    `${devices}
@R.function
def main(x: R.Tensor((2,), "float32"), c: R.Tensor((), "bool")) -> R.Tuple(R.Tensor((2,), "float32", "cuda"), R.Tensor((2,), "float32", "cuda")):
    if c:
        p = R.exp(x)
        y = p
    else:
        q = R.log(x)
        y = q
    return (y, y)
`,
    `${devices}
@R.function
def main(x: R.Tensor((2,), "float32", "cuda"), c: R.Tensor((), "bool", "cuda")) -> R.Tuple(R.Tensor((2,), "float32", "cuda"), R.Tensor((2,), "float32", "cuda")):
    if c:
        p: R.Tensor((2,), "float32", "cuda") = R.exp(x)
        y: R.Tensor((2,), "float32", "cuda") = p
    else:
        q: R.Tensor((2,), "float32", "cuda") = R.log(x)
        y: R.Tensor((2,), "float32", "cuda") = q
    return (y, y)
`,
  ));

it("a hint at a device that is not there is refused", () => {
  const text = `${devices}
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    h = R.hint_on_device(x, R.webgpu())
    return h
`;
  expect(() => expectPass(realizeVDevice(), text, text)).toThrow("no device of type 15");
});
