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

const backend = (workspace: boolean): string => {
  const [param, inner, arg] = workspace ? [', scratch: R.Tensor((256,), "uint8")', ', deep: R.Tensor((256,), "uint8")', ", scratch"] : ["", "", ""];
  const size = workspace ? "" : ', "WorkspaceSize": 256';
  return `
@R.function
def offloaded${workspace ? "1" : ""}(a: R.Tensor((4,), "float32")${param}) -> R.Tensor((4,), "float32"):
    R.func_attr({"Codegen": "backend"${size}})

    @R.function
    def part(b: R.Tensor((4,), "float32")${inner}) -> R.Tensor((4,), "float32"):
        R.func_attr({"Composite": "backend.exp"${size}})
        with R.dataflow():
            c = R.exp(b)
            R.output(c)
        return c

    d = part(a${arg})
    return d
`;
};

it("functions of a backend take as much as the hungriest, and hand it to their parts; each block that calls them allocates it once", () => {
  const main = (name: string, alloc: string, arg: string): string => `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    if c:
        with R.dataflow():
${alloc === "" ? "" : `            w = ${alloc}\n`}            a = R.negative(x)
            b = cls.${name}(a${arg})
            d = cls.${name}(b${arg})
            R.output(d)
        y = d
    else:
        y = R.negative(x)
    return y
`;
  const alloc = 'R.builtin.alloc_tensor(R.shape([256]), R.dtype("uint8"), R.prim_value(0), R.str("global"))';
  expectPass(allocateWorkspace(), backend(false) + main("offloaded", "", ""), backend(true) + main("offloaded1", alloc, ", w"));
});
