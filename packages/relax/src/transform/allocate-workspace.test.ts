import { it } from "vitest";
import { allocateWorkspace } from "./allocate-workspace.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("scratch memory of a size that only the caller knows", () =>
  expectPass(
    allocateWorkspace(),
    `
@T.prim_func(private=True)
def f(a: T.handle, workspace: T.handle):
    n = T.int64()
    T.func_attr({"WorkspaceSize": n * T.int64(4)})
    A = T.match_buffer(a, (n,), "float32")
    A[0] = T.float32(0)

@R.function(pure=False)
def main(x: R.Tensor(("m",), "float32")) -> R.Tensor(("m",), "float32"):
    m = T.int64()
    cls = Module
    cls.f(x)
    return x
`,
    `
@T.prim_func(private=True)
def f(a: T.handle, workspace: T.handle):
    n = T.int64()
    T.func_attr({"WorkspaceSize": n * T.int64(4)})
    A = T.match_buffer(a, (n,), "float32")
    A[0] = T.float32(0)

@R.function(pure=False)
def main(x: R.Tensor(("m",), "float32")) -> R.Tensor(("m",), "float32"):
    m = T.int64()
    cls = Module
    workspace = R.builtin.alloc_tensor(R.shape([m * 4]), R.dtype("uint8"), R.prim_value(0), R.str("global"))
    cls.f(x, workspace)
    return x
`,
  ));
