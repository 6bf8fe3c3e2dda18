export { buildWasm, buildWasmVariants, type BuildWasmOptions, type WasmBuild, type WasmExport, type WasmThreads, type WasmVariants } from "./build-wasm.ts";
export { wasmIntrinRules, type IntrinRule } from "./intrin/rules.ts";
