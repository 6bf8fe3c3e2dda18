import { firstMismatch } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, print, type Spelling } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { relax } from "./relax-script.ts";

const dialects = [tir, relax];

/** Programs in the form that upstream's printer gives them: they print as they are. */
function expectStable(body: string, spelling: Spelling = "v0.20"): void {
  expect(print(parse(body, { dialects, spelling }), { dialects, spelling })).toBe(body);
}

test("tensors on a mesh: the mesh by its place, calls and constants of their own", () => {
  expectStable(`# from tvm.script import ir as I
# from tvm.script import tir as T
# from tvm.script import relax as R

@I.ir_module
class Module:
    I.module_global_infos({"mesh": [R.device_mesh((2, 2), I.Range(0, 4))]})
    @T.prim_func
    def double(x: T.Buffer((T.int64(128),), "float32"), y: T.Buffer((T.int64(128),), "float32")):
        # with T.block("root"):
        for i in range(T.int64(128)):
            with T.block("double"):
                vi = T.axis.spatial(T.int64(128), i)
                T.reads(x[vi])
                T.writes(y[vi])
                y[vi] = x[vi] * T.float32(2.0)

    @R.function
    def main(x: R.DTensor((128,), "float32", "mesh[0]", "S[0], R")) -> R.DTensor((128,), "float32", "mesh[0]", "S[0], R"):
        cls = Module
        gv = R.dist.call_tir(cls.double, (x,), out_sinfo=R.DTensor((128,), "float32", "mesh[0]", "S[0], R"))
        gv1: R.DTensor((128,), "float32", "mesh[0]", "S[0], R") = R.add(gv, R.dist.const(1.0, R.DTensor((), "float32", "mesh[0]", "R, R")))
        return gv1`);
});

test("a truth value among a function's attributes is one in graphs, and a constant in tensor programs", () => {
  const text = (value: string): string => `# from tvm.script import ir as I
# from tvm.script import tir as T
# from tvm.script import relax as R

@I.ir_module
class Module:
    @T.prim_func
    def f(x: T.Buffer((1,), "float32")):
        T.func_attr({"tir.noalias": ${value}})
        x[0] = T.float32(1.0000000000000001e-05)

    @R.function
    def main(x: R.Object) -> R.Object:
        R.func_attr({"relax.force_pure": True})
        return x`;
  expectStable(text("T.bool(True)"));
  const main = text("True")
    .replaceAll("tir", "tirx")
    .replace("tirx as T", "tirx as T\n# from tvm.tirx.layout import Axis")
    .replace("@T.prim_func", "@T.prim_func(s_tir=True)")
    .replaceAll("R.Object", "R.Any");
  expectStable(main, "main");
});

test("a device by its kind and place; main adds the memory", () => {
  const text = (device: string): string => `# from tvm.script import ir as I
# from tvm.script import relax as R

@I.ir_module
class Module:
    I.module_global_infos({"vdevice": [I.vdevice({"kind": "llvm"}, 0, "global")]})
    @R.function
    def main(x: R.Tensor((2,), dtype="float32", vdevice="${device}")) -> R.Tensor((2,), dtype="float32", vdevice="${device}"):
        y: R.Tensor((2,), dtype="float32", vdevice="${device}") = R.nn.relu(x)
        return y`;
  expectStable(text("llvm:0"));
  expectStable(text("llvm:0:global"), "main");
});

test("main writes scalar types as those of tensor programs", () => {
  expectStable(
    `# from tvm.script import ir as I
# from tvm.script import tirx as T
# from tvm.tirx.layout import Axis
# from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: T.float32, c: T.bool) -> T.float32:
        return x`,
    "main",
  );
});

test("main's dimensions are variables of each function", () => {
  const main = `# from typing import TypeVar
# from tvm.script import ir as I
# from tvm.script import relax as R

n = TypeVar("n")
@I.ir_module
class Module:
    @R.function
    def f(x: R.Tensor((n, 4), dtype="float32")) -> R.Tensor((n, 4), dtype="float32"):
        return x

    @R.function
    def g(x: R.Tensor((n,), dtype="float32")) -> R.Tensor(("n * 2",), dtype="float32"):
        y: R.Tensor((n * 2,), dtype="float32") = R.concat((x, x), axis=0)
        return y
`;
  const v020 = `@I.ir_module
class Module:
    @R.function
    def f(x: R.Tensor(("n", 4), dtype="float32")) -> R.Tensor(("n", 4), dtype="float32"):
        return x

    @R.function
    def g(x: R.Tensor(("n",), dtype="float32")) -> R.Tensor(("n * 2",), dtype="float32"):
        n = T.int64()
        y: R.Tensor((n * 2,), dtype="float32") = R.concat((x, x), axis=0)
        return y
`;
  const [a, b] = [parse(main, { dialects, spelling: "main", checkWellFormed: true }), parse(v020, { dialects })];
  expect(firstMismatch(a, b, { dialects })?.path).toBeUndefined();
});

test("what attributes of a runtime function's call are, and regions as constants", () => {
  const text = (call: string): string => `# from tvm.script import ir as I
# from tvm.script import tir as T
# from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((1, 3, 10, 10), dtype="float32")) -> R.Object:
        y: R.Tensor((1, 3, 20, 20), dtype="float32") = R.image.resize2d(x, R.shape([20, 20]), roi=[T.float32(0.0), T.float32(0.0), T.float32(0.5), T.float32(0.0)], layout="NCHW", method="linear", coordinate_transformation_mode="half_pixel", rounding_method="round", cubic_alpha=-0.5, cubic_exclude=0, extrapolation_value=0.0, out_dtype="void")
        z: R.Object = R.call_packed("f", y, ${call}sinfo_args=(R.Object,))
        return z`;
  expectStable(text('attrs_type_key="relax.attrs.StatisticalAttrs", axis=[1], keepdims=True, '));
  expectStable(text('attrs_type_key="DictAttrs", axis=[1], '));
  expectStable(text(""));
});
