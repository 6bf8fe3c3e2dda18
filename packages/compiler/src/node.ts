export { hostEngine } from "./tuning/host-engine.ts";
export { wasmThreadBuilder, type WasmThreadBuilderOptions } from "./tuning/wasm-thread-builder.ts";
export { writeArtifact } from "./write-artifact.ts";
