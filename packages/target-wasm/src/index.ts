export { buildWasm, type BuildWasmOptions, type WasmBuild, type WasmExport, type WasmThreads } from "./build-wasm.ts";
export { wasmIntrinRules, type IntrinRule } from "./intrin/rules.ts";
