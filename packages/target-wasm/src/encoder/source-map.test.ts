import { SourceMap } from "node:module";
import { defaultWasmTarget } from "@verticil/ir-core";
import { tensorFrom, zeros } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { runModule } from "../testing/run-wasm.ts";

const text = `@I.ir_module
class Module:
    @T.prim_func
    def gather(x: T.handle, at: T.handle, y: T.handle):
        T.func_attr({"global_symbol": "gather"})
        X = T.match_buffer(x, (8,))
        At = T.match_buffer(at, (4,), "int32")
        Y = T.match_buffer(y, (4,))
        Y[0] = T.float32(1)
        for i in range(4):
            Y[i] = X[At[i]]
        Y[3] = T.float32(2)
`;
const module = parse(text, { dialects: [tir], name: "gather.py" });
const options = { sourceMappingUrl: "gather.wasm.map", boundsChecks: true };

function lineAt(address: number): { readonly file: string; readonly line: number } {
  const { sourceMap = "{}" } = buildWasm(module, defaultWasmTarget, options);
  const entry = new SourceMap(JSON.parse(sourceMap)).findEntry(0, address);
  if (!("originalSource" in entry)) throw new Error("no entry");
  return { file: entry.originalSource, line: entry.originalLine + 1 };
}

it("an access outside of a buffer traps at an address that leads to its line", () => {
  let address = -1;
  try {
    runModule(module, "gather", [zeros("float32", [8]), tensorFrom([0, 1, 99, 2], [4], "int32"), zeros("float32", [4])], options);
  } catch (error) {
    address = Number(/wasm-function\[0\]:(0x[0-9a-f]+)/.exec(error instanceof Error ? (error.stack ?? "") : "")?.[1]);
  }
  expect(lineAt(address)).toEqual({ file: "gather.py", line: 11 });
});

it("the program is in the map, and the map's address in the module", () => {
  const { bytes, sourceMap = "{}" } = buildWasm(module, defaultWasmTarget, options);
  expect(JSON.parse(sourceMap)).toMatchObject({ version: 3, sources: ["gather.py"], sourcesContent: [text] });
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), "sourceMappingURL");
  expect(new TextDecoder().decode(section).slice(1)).toBe("gather.wasm.map");
});

it("without an address for a map there is none", () => {
  const built = buildWasm(module, defaultWasmTarget);
  expect(built.sourceMap).toBeUndefined();
  expect(WebAssembly.Module.customSections(new WebAssembly.Module(built.bytes), "sourceMappingURL")).toEqual([]);
});
