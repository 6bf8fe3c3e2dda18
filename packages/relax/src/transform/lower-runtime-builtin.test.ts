import { it } from "vitest";
import { lowerRuntimeBuiltin } from "./lower-runtime-builtin.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("memory, shapes, views and closures are the runtime's", () =>
  expectPass(
    lowerRuntimeBuiltin(),
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float32"), f: R.Object) -> R.Object:
    n = T.int64()
    s = R.memory.alloc_storage(R.shape([n * 16]), R.prim_value(0), R.str("global"), R.dtype("float32"))
    t = R.memory.alloc_tensor(s, R.prim_value(0), R.shape([n, 4]), R.dtype("float32"))
    shape = R.shape_of(x)
    y = R.reshape(t, R.shape([n * 4]))
    z = R.invoke_closure(f, (y, shape), sinfo_args=(R.Object,))
    return z
`,
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", 4), "float32"), f: R.Object) -> R.Object:
    n = T.int64()
    s = R.call_packed("vm.builtin.alloc_storage", R.shape([n * 16]), R.prim_value(0), R.str("global"), R.dtype("float32"), sinfo_args=(R.Object,))
    t = R.call_packed("vm.builtin.alloc_tensor", s, R.prim_value(0), R.shape([n, 4]), R.dtype("float32"), sinfo_args=(R.Tensor((n, 4), dtype="float32"),))
    shape = R.call_packed("vm.builtin.shape_of", x, sinfo_args=(R.Shape([n, 4]),))
    y = R.call_packed("vm.builtin.reshape", t, R.shape([n * 4]), sinfo_args=(R.Tensor((n * 4,), dtype="float32"),))
    z = R.call_packed("vm.builtin.invoke_closure", f, y, shape, sinfo_args=(R.Object,))
    return z
`,
  ));
