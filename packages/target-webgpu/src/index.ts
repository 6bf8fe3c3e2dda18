export { buildWebgpu, type WebgpuBuild } from "./build-webgpu.ts";
export { webgpuDiagnostics } from "./diagnostics.ts";
