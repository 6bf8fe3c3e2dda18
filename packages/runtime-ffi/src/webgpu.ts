export { fetchBytes } from "./fetch-model.ts";
export { readBytes } from "./read-bytes.ts";
export { loadWebgpuModel, type WebgpuLoadOptions, type WebgpuModelFiles } from "./webgpu/load-webgpu-model.ts";
export { checkWebgpuManifest, isWebgpuManifest, type WebgpuManifest } from "./webgpu/manifest.ts";
export { type Gpu, type GpuAdapter, type GpuDevice } from "./webgpu/gpu.ts";
