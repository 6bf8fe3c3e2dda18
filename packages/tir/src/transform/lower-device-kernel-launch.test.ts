import { expect, test } from "vitest";
import { lowerDeviceKernelLaunch } from "./lower-device-kernel-launch.ts";
import { runOn } from "./testing/expect-pass.ts";

const calling = (args: string, body: string): string => `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((1,), "float32")):
        T.func_attr({"target": T.target({"kind": "c"})})
        Module.kernel(${args})

    @T.prim_func(private=True)
    def kernel(p: T.handle("float32")):
        T.func_attr({"target": T.target({"kind": "webgpu"})})
        ${body}
`;

test("a call with the wrong number of arguments is refused", () => {
  expect(() => runOn(lowerDeviceKernelLaunch(), calling("A.data, 1", "T.evaluate(0)"))).toThrow("it takes 1 arguments and is given 2");
});

test("a kernel that returns a failure is refused", () => {
  expect(() => runOn(lowerDeviceKernelLaunch(), calling("A.data", "T.ret(-1)"))).toThrow("it returns something else than success");
});

test("a function without target is refused", () => {
  expect(() => runOn(lowerDeviceKernelLaunch(), calling("A.data", "T.evaluate(0)").replace('T.func_attr({"target": T.target({"kind": "c"})})', "pass"))).toThrow("has no target");
});
