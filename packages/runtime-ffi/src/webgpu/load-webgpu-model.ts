import { FfiError } from "../ffi-error.ts";
import { verifyManifest } from "../manifest.ts";
import { settled, takeFile, unwrap, type LoadOptions, type Model } from "../model.ts";
import { readSafetensors } from "../safetensors.ts";
import { tensorBytes, type Tensor } from "../tensor.ts";
import { DeviceWork } from "./device-work.ts";
import { gpuFlags, type GpuBuffer, type GpuDevice, type GpuHandle } from "./gpu.ts";
import { checkWebgpuManifest, type WebgpuManifest } from "./manifest.ts";
import { openDevice, type DeviceOptions } from "./open-device.ts";
import { splitKernels } from "./program.ts";
import { writeBytes } from "./write-bytes.ts";
import { WebgpuModel, type Prepared, type Step } from "./webgpu-model.ts";

/** What a model for WebGPU is loaded from: the manifest and its two files, which may still be on their way. */
export interface WebgpuModelFiles {
  readonly manifest: unknown;
  readonly wgsl: Uint8Array | PromiseLike<Uint8Array>;
  readonly weights: Uint8Array | PromiseLike<Uint8Array>;
}

/** Options of `loadWebgpuModel`. */
export interface WebgpuLoadOptions extends LoadOptions, DeviceOptions {}

/**
 * Makes a model of its files: opens a device, compiles all kernels at once, and puts the weights into its buffers.
 * @throws FfiError `invalid-artifact` for damaged files, `abi-mismatch`, `unsupported` without a device that has what the
 * model needs, `out-of-memory` if it has no room, `runtime` if it refuses a kernel.
 */
export async function loadWebgpuModel(files: WebgpuModelFiles, options: WebgpuLoadOptions = {}): Promise<Model> {
  // Arrivals that fail are told of when they are asked for, not as rejections that nobody waits for.
  const arrivals = [settled(Promise.resolve(files.wgsl)), settled(Promise.resolve(files.weights))] as const;
  const manifest = checkWebgpuManifest(files.manifest);
  const report = (status: "initiate" | "compile" | "ready", progress: number): void => options.onProgress?.({ status, name: manifest.name, progress });
  report("initiate", 0);
  options.signal?.throwIfAborted();
  const verify = options.verify !== false;
  if (verify) await verifyManifest(manifest);
  const { device, owned } = await openDevice(needsOf(manifest), options);
  try {
    const work = new DeviceWork(device, manifest.name);
    const sources = await takeFile(manifest.files.wgsl, unwrap(await arrivals[0]), verify, (bytes) => kernelSources(manifest, bytes));
    const weights = await takeFile(manifest.files.weights, unwrap(await arrivals[1]), verify, (bytes) => readSafetensors(bytes).tensors);
    const prepared = await work.checked("load", () => prepare(manifest, sources, weights, device, (part) => report("compile", part)));
    options.signal?.throwIfAborted();
    report("ready", 1);
    return new WebgpuModel(manifest, work, prepared, owned);
  } catch (error) {
    if (owned) device.destroy();
    throw error;
  }
}

function needsOf({ target }: WebgpuManifest): { readonly features: readonly string[]; readonly limits: Readonly<Record<string, number>> } {
  const { features, limits } = target as { readonly features?: unknown; readonly limits?: unknown };
  return {
    features: Array.isArray(features) ? features.map(String) : [],
    limits: typeof limits === "object" && limits !== null ? (limits as Readonly<Record<string, number>>) : {},
  };
}

function kernelSources(manifest: WebgpuManifest, wgsl: Uint8Array): readonly string[] {
  const sources = splitKernels(new TextDecoder().decode(wgsl));
  if (sources.length === manifest.program.kernels.length) return sources;
  throw new FfiError(
    "invalid-artifact",
    `\`${manifest.files.wgsl.path}\` holds ${sources.length} kernels; the model has ${manifest.program.kernels.length}. Compile the model again.`,
  );
}

async function prepare(
  manifest: WebgpuManifest,
  sources: readonly string[],
  weights: ReadonlyMap<string, Tensor>,
  device: GpuDevice,
  onProgress: (part: number) => void,
): Promise<Prepared> {
  const { program } = manifest;
  const layouts = new BindGroupLayouts(device);
  let done = 0;
  // All at once: the driver compiles on threads of its own while this one copies the weights.
  const compiled = settled(
    Promise.all(
      program.kernels.map(async ({ name, bindings }, i) => {
        const module = device.createShaderModule({ code: sources[i] ?? "", label: name });
        const layout = device.createPipelineLayout({ bindGroupLayouts: [layouts.of(bindings) as never] });
        const pipeline = await device.createComputePipelineAsync({ label: name, layout: layout as never, compute: { module: module as never, entryPoint: "main" } }).catch((cause: unknown) => {
          throw new FfiError("runtime", `The device refused the kernel \`${name}\` of \`${manifest.name}\`: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
        });
        onProgress(++done / (program.kernels.length + 1));
        return pipeline;
      }),
    ),
  );
  const { storage, copySource, copyTarget, mapRead } = gpuFlags;
  const buffers = program.buffers.map((size, i) => device.createBuffer({ size, usage: storage | copySource | copyTarget, label: `${manifest.name} ${i}` }));
  placeWeights(manifest, weights, device, buffers);
  const bytes = program.outputs.reduce((sum, o) => sum + o.bytes, 0);
  const staging = device.createBuffer({ size: Math.max(4, bytes), usage: mapRead | copyTarget, label: `${manifest.name} outputs` });
  const groups = program.dispatches.map(({ kernel, args }) => {
    const entries = args.map(({ buffer, offset, bytes: size }, binding) => ({ binding, resource: { buffer: buffers[buffer], offset, size } }));
    return device.createBindGroup({ layout: layouts.of(program.kernels[kernel]?.bindings ?? []) as never, entries: entries as never[] });
  });
  // What was written stays in memory of the host until something is submitted.
  device.queue.submit([]);
  const pipelines = unwrap(await compiled);
  const steps = program.dispatches.flatMap(({ kernel, grid }, i): Step[] => {
    const [pipeline, group] = [pipelines[kernel], groups[i]];
    return pipeline === undefined || group === undefined ? [] : [{ pipeline, group, grid }];
  });
  return { buffers, staging, steps };
}

/** Layouts of bind groups, one for each way in which kernels use their buffers. */
class BindGroupLayouts {
  readonly #device: GpuDevice;
  readonly #made = new Map<string, GpuHandle>();

  constructor(device: GpuDevice) {
    this.#device = device;
  }

  of(bindings: readonly ("read" | "write")[]): GpuHandle {
    const key = bindings.join(",");
    let layout = this.#made.get(key);
    if (layout === undefined) {
      const entries = bindings.map((b, binding) => ({
        binding,
        visibility: gpuFlags.stageCompute,
        buffer: { type: b === "write" ? ("storage" as const) : ("read-only-storage" as const) },
      }));
      this.#made.set(key, (layout = this.#device.createBindGroupLayout({ entries })));
    }
    return layout;
  }
}

function placeWeights(manifest: WebgpuManifest, tensors: ReadonlyMap<string, Tensor>, device: GpuDevice, buffers: readonly GpuBuffer[]): void {
  manifest.constants.forEach(({ name }, i) => {
    const t = tensors.get(name);
    const place = manifest.program.constants[i];
    const buffer = place && buffers[place.buffer];
    if (t === undefined || place === undefined || buffer === undefined || t.data.byteLength > place.bytes) {
      throw new FfiError("invalid-artifact", `\`${manifest.files.weights.path}\` does not hold the constant \`${name}\` that the model needs.`);
    }
    writeBytes(device, buffer, place.offset, tensorBytes(t));
  });
}
