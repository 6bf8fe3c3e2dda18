import { it } from "vitest";
import { killAfterLastUse } from "./kill-after-last-use.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("values are let go of after their last use, branches included, and results are kept", () =>
  expectPass(
    killAfterLastUse(),
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32"), c: R.Tensor((), "bool")) -> R.Tensor((2,), "float32"):
    a = R.add(x, x)
    b = R.add(a, a)
    if c:
        t = R.add(b, x)
        u = R.add(t, a)
        w = u
    else:
        v = R.add(b, b)
        w = v
    return w
`,
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32"), c: R.Tensor((), "bool")) -> R.Tensor((2,), "float32"):
    a = R.add(x, x)
    b = R.add(a, a)
    if c:
        t = R.add(b, x)
        u = R.add(t, a)
        R.vm.kill_object(t)
        w = u
    else:
        v = R.add(b, b)
        w = v
    R.vm.kill_object(a)
    R.vm.kill_object(b)
    return w
`,
  ));

it("memory and tensors have their own ways to be let go of, and what is planned is left alone", () =>
  expectPass(
    killAfterLastUse(),
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    s = R.memory.alloc_storage(R.shape([8]), R.prim_value(0), R.str("global"), R.dtype("float32"))
    t = R.memory.alloc_tensor(s, R.prim_value(0), R.shape([2]), R.dtype("float32"))
    p = R.memory.alloc_storage(R.shape([8]), R.prim_value(0), R.str("global"), R.dtype("float32"))
    u = R.memory.alloc_tensor(p, R.prim_value(0), R.shape([2]), R.dtype("float32"))
    y = R.add(t, u)
    R.memory.kill_storage(p)
    return y
`,
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    s = R.memory.alloc_storage(R.shape([8]), R.prim_value(0), R.str("global"), R.dtype("float32"))
    t = R.memory.alloc_tensor(s, R.prim_value(0), R.shape([2]), R.dtype("float32"))
    R.memory.kill_storage(s)
    p = R.memory.alloc_storage(R.shape([8]), R.prim_value(0), R.str("global"), R.dtype("float32"))
    u = R.memory.alloc_tensor(p, R.prim_value(0), R.shape([2]), R.dtype("float32"))
    y = R.add(t, u)
    R.memory.kill_tensor(t)
    R.memory.kill_tensor(u)
    R.memory.kill_storage(p)
    return y
`,
  ));
