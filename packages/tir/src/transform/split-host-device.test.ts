import { test } from "vitest";
import { sequential } from "@verticil/ir-core";
import { annotateDeviceRegions } from "./annotate-device-regions.ts";
import { lowerDeviceKernelLaunch } from "./lower-device-kernel-launch.ts";
import { splitHostDevice } from "./split-host-device.ts";
import { expectPass } from "./testing/expect-pass.ts";

const before = `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((64,), "float32"), n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu", "host": {"kind": "c"}})})
        bx = T.launch_thread("blockIdx.x", n)
        tx = T.launch_thread("threadIdx.x", 16)
        A[bx * 16 + tx] = T.float32(n)
`;

test("a device region is marked, becomes a kernel of its own, and is launched with its extents", () => {
  expectPass(annotateDeviceRegions(), before, `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((64,), "float32"), n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu", "host": {"kind": "c"}})})
        T.attr(T.target({"kind": "webgpu"}), "target", 0)
        bx = T.launch_thread("blockIdx.x", n)
        tx = T.launch_thread("threadIdx.x", 16)
        A[bx * 16 + tx] = T.float32(n)
`);
  const kernel = `
    @T.prim_func(private=True)
    def main_kernel(A_1: T.handle("float32"), n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu"}), "tir.is_global_func": T.bool(True), "tir.noalias": T.bool(True)})
        A = T.decl_buffer((64,), data=A_1)
        bx = T.launch_thread("blockIdx.x", n)
        tx = T.launch_thread("threadIdx.x", 16)
        A[bx * 16 + tx] = T.float32(n)
`;
  expectPass(sequential("split", [annotateDeviceRegions(), splitHostDevice()]), before, `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((64,), "float32"), n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu", "host": {"kind": "c"}})})
        Module.main_kernel(A.data, n)
${kernel}`);
  expectPass(sequential("launch", [annotateDeviceRegions(), splitHostDevice(), lowerDeviceKernelLaunch()]), before, `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((64,), "float32"), n: T.int32):
        T.func_attr({"target": T.target({"kind": "c"})})
        T.call_packed("main_kernel", A.data, n, n, 16)
${kernel.replace("(private=True)", "").replace('"tir.is_global_func"', '"calling_conv": 2, "tir.kernel_launch_params": ["blockIdx.x", "threadIdx.x"], "tir.is_global_func"')}`);
});

test("a region on a processor says whether it worked", () => {
  expectPass(
    splitHostDevice(),
    `
@I.ir_module
class Module:
    @T.prim_func
    def main(n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu", "host": {"kind": "c"}})})
        with T.attr(T.target({"kind": "c"}), "target", 0):
            T.evaluate(n)
        T.evaluate(n + 1)
`,
    `
@I.ir_module
class Module:
    @T.prim_func
    def main(n: T.int32):
        T.func_attr({"target": T.target({"kind": "webgpu", "host": {"kind": "c"}})})
        with T.LetStmt(Module.main_kernel(n)) as code:
            assert code == 0, "Error executing compute kernel"
        T.evaluate(n + 1)

    @T.prim_func(private=True)
    def main_kernel(n: T.int32) -> T.int32:
        T.func_attr({"target": T.target({"kind": "c"}), "tir.is_global_func": T.bool(True), "tir.noalias": T.bool(True)})
        T.evaluate(n)
        return 0
`,
  );
});
