import { test } from "vitest";
import { bindTarget } from "./bind-target.ts";
import { expectPass } from "./testing/expect-pass.ts";

const gpuWithHost = { kind: "webgpu", host: { kind: "wasm" } };

test("what is called from outside gets target and host, what is private the target alone", () => {
  expectPass(
    bindTarget(gpuWithHost),
    `
@I.ir_module
class Module:
    @T.prim_func
    def entry():
        T.evaluate(0)
    @T.prim_func(private=True)
    def helper():
        T.evaluate(0)
`,
    `
@I.ir_module
class Module:
    @T.prim_func
    def entry():
        T.func_attr({"target": T.target("webgpu", host="wasm")})
        T.evaluate(0)
    @T.prim_func(private=True)
    def helper():
        T.func_attr({"target": T.target("webgpu")})
        T.evaluate(0)
`,
  );
});

test("a function's own target stays; a host function runs on the host", () => {
  expectPass(
    bindTarget(gpuWithHost),
    `
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def own():
        T.func_attr({"target": T.target("c")})
        T.evaluate(0)
    @T.prim_func(private=True)
    def on_host():
        T.func_attr({"tir.is_host_func": True})
        T.evaluate(0)
`,
    `
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def own():
        T.func_attr({"target": T.target("c")})
        T.evaluate(0)
    @T.prim_func(private=True)
    def on_host():
        T.func_attr({"target": T.target("wasm", host="wasm")})
        T.evaluate(0)
`,
  );
});
