import { nodeGpu } from "@verticil/runtime-ffi/node";
import type { GpuDevice } from "@verticil/runtime-ffi/webgpu";

let device: Promise<GpuDevice> | undefined;

async function openNullDevice(): Promise<GpuDevice> {
  // Dawn without a driver: it checks everything and runs nothing.
  const adapter = await (await nodeGpu(["backend=null"])).requestAdapter();
  if (adapter === null) throw new Error("Dawn has no null adapter.");
  return adapter.requestDevice({ requiredFeatures: ["shader-f16"] as never[], requiredLimits: {} });
}

/** What Dawn's compiler says against a kernel; undefined for one that it takes, with the default limits of WebGPU. */
export async function wgslError(code: string): Promise<string | undefined> {
  const opened = await (device ??= openNullDevice());
  opened.pushErrorScope("validation");
  const module = opened.createShaderModule({ code });
  // With the layout that the code itself asks for.
  const failed = opened.createComputePipelineAsync({ layout: "auto" as never, compute: { module: module as never, entryPoint: "main" } }).then(
    () => undefined,
    (e: unknown) => (e instanceof Error ? e.message : String(e)),
  );
  const scope = await opened.popErrorScope();
  return scope?.message ?? (await failed);
}
