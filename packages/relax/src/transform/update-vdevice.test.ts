import { contextEntry, irDialect, makeVDevice, passContext } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { updateVDevice } from "./update-vdevice.ts";

const dialects = [tir, relax];
const ctx = passContext({ dialects: [irDialect, ...dialects], entries: [contextEntry(opRegistryKey, relaxOps)] });
const module = parse(
  `
@I.ir_module
class Module:
    I.module_global_infos({"vdevice": [I.vdevice("llvm"), I.vdevice("cuda", 0)]})

    @R.function
    def main(x: R.Tensor((2,), "float32", "llvm"), y: R.Tensor((2,), "float32", "cuda")) -> R.Tensor((2,), "float32", "llvm"):
        z: R.Tensor((2,), "float32", "llvm") = R.exp(x)
        return z
`,
  { dialects },
);

it("tensors on one device lie on another, and no others do", () => {
  const text = print(updateVDevice(makeVDevice({ kind: "metal" }), 0).run(module, ctx), { dialects });
  expect(text).toContain('x: R.Tensor((2,), dtype="float32", vdevice="metal:0")');
  expect(text).toContain('y: R.Tensor((2,), dtype="float32", vdevice="cuda:0")');
  expect(text).toContain('z: R.Tensor((2,), dtype="float32", vdevice="metal:0") = R.exp(x)');
  expect(text).not.toContain("llvm");
});

it("a device that is not there is refused", () => {
  expect(() => updateVDevice(makeVDevice({ kind: "metal" }), 2).run(module, ctx)).toThrow("no device number 2");
});
