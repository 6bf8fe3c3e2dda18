import { it } from "vitest";
import { vmShapeLower } from "./vm-shape-lower.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("sizes go on a heap: matched, computed, checked and read back", () =>
  expectPass(
    vmShapeLower(),
    `
@R.function(pure=False)
def main(x: R.Tensor(("n", "n * 2"), "float32"), s: R.Shape(["m", 3])) -> R.Shape(ndim=2):
    n = T.int64()
    m = T.int64()
    k = T.int64()
    y = R.call_packed("f", x, R.shape([n + m, 7]), R.prim_value(m), sinfo_args=(R.Tensor((n, m), "float32"),))
    z = R.match_cast(y, R.Tensor((n, k), "float32"))
    return R.shape([k, n + m])
`,
    `
@T.prim_func(private=True)
def shape_func(H: T.Buffer((T.int64(5),), "int64")):
    T.func_attr({"tir.is_host_func": T.bool(True)})
    H[T.int64(1)] = H[T.int64(0)] * T.int64(2)
    H[T.int64(3)] = H[T.int64(0)] + H[T.int64(2)]

@R.function(pure=False)
def main(x: R.Tensor(("n", "n * 2"), "float32"), s: R.Shape(["m", 3])) -> R.Shape(ndim=2):
    n = T.int64()
    m = T.int64()
    cls = Module
    k = T.int64()
    shape_heap = R.call_packed("vm.builtin.alloc_shape_heap", R.prim_value(5), sinfo_args=(R.Tensor(dtype="int64", ndim=1),))
    R.call_packed("vm.builtin.check_tensor_info", x, R.prim_value(2), R.dtype("float32"), R.str("\`main\`, argument \`x\` of \`R.Tensor((n, n * 2), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.match_shape", x, shape_heap, R.prim_value(2), R.prim_value(1), R.prim_value(0), R.prim_value(2), R.prim_value(0), R.str("\`main\`, argument \`x\` of \`R.Tensor((n, n * 2), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.check_shape_info", s, R.prim_value(2), R.str("\`main\`, argument \`s\` of \`R.Shape([m, 3])\`"), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.match_shape", s, shape_heap, R.prim_value(2), R.prim_value(1), R.prim_value(2), R.prim_value(0), R.prim_value(3), R.str("\`main\`, argument \`s\` of \`R.Shape([m, 3])\`"), sinfo_args=(R.Tuple,))
    cls.shape_func(shape_heap)
    R.call_packed("vm.builtin.match_shape", x, shape_heap, R.prim_value(2), R.prim_value(2), R.prim_value(0), R.prim_value(3), R.prim_value(1), R.str("\`main\`, argument \`x\` of \`R.Tensor((n, n * 2), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    shape = R.call_packed("vm.builtin.make_shape", shape_heap, R.prim_value(2), R.prim_value(1), R.prim_value(3), R.prim_value(0), R.prim_value(7), sinfo_args=(R.Shape([n + m, 7]),))
    value = R.call_packed("vm.builtin.make_prim_value", shape_heap, R.prim_value(1), R.prim_value(2), sinfo_args=(R.Prim(value=m),))
    y = R.call_packed("f", x, shape, value, sinfo_args=(R.Tensor((n, m), dtype="float32"),))
    R.call_packed("vm.builtin.check_tensor_info", y, R.prim_value(2), R.dtype("float32"), R.str("\`main\`, result of \`f\` of \`R.Tensor((n, m), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.match_shape", y, shape_heap, R.prim_value(2), R.prim_value(3), R.prim_value(0), R.prim_value(3), R.prim_value(2), R.str("\`main\`, result of \`f\` of \`R.Tensor((n, m), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    z = R.match_cast(y, R.Tensor((n, k), "float32"))
    R.call_packed("vm.builtin.check_tensor_info", z, R.prim_value(2), R.dtype("float32"), R.str("\`main\`, match_cast \`z\` to \`R.Tensor((n, k), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.match_shape", z, shape_heap, R.prim_value(2), R.prim_value(3), R.prim_value(0), R.prim_value(1), R.prim_value(4), R.str("\`main\`, match_cast \`z\` to \`R.Tensor((n, k), dtype=\\"float32\\")\`"), sinfo_args=(R.Tuple,))
    shape_1 = R.call_packed("vm.builtin.make_shape", shape_heap, R.prim_value(2), R.prim_value(1), R.prim_value(4), R.prim_value(1), R.prim_value(3), sinfo_args=(R.Shape([k, n + m]),))
    return shape_1
`,
  ));

it("checks say nothing of their place where `emit_err_ctx` is off", () =>
  expectPass(
    vmShapeLower({ emitErrCtx: false }),
    `
@R.function
def main(x: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tuple(R.Tensor((2,), "float32")):
    return x
`,
    `
@R.function
def main(x: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tuple(R.Tensor((2,), "float32")):
    R.call_packed("vm.builtin.check_tuple_info", x, R.prim_value(1), R.str(""), sinfo_args=(R.Tuple,))
    y = x[0]
    R.call_packed("vm.builtin.check_tensor_info", y, R.prim_value(1), R.dtype("float32"), R.str(""), sinfo_args=(R.Tuple,))
    R.call_packed("vm.builtin.match_shape", y, R.prim_value(0), R.prim_value(1), R.prim_value(0), R.prim_value(2), R.str(""), sinfo_args=(R.Tuple,))
    return x
`,
  ));
