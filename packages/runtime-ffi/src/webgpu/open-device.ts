import { FfiError } from "../ffi-error.ts";
import { host } from "../host.ts";
import type { Gpu, GpuAdapter, GpuDevice } from "./gpu.ts";

/** Where a device comes from. */
export interface DeviceOptions {
  /** `navigator.gpu` unless told; in Node what the `webgpu` package makes (`nodeGpu` of @verticil/runtime-ffi/node). */
  readonly gpu?: Gpu | undefined;
  /** A device to use, which stays the caller's; it must have the artifact's features and limits. */
  readonly device?: GpuDevice | undefined;
  readonly powerPreference?: "low-power" | "high-performance";
}

/** A device, and whether it was opened here and is to be closed here. */
export interface OpenDevice {
  readonly device: GpuDevice;
  readonly owned: boolean;
}

/** What a target asks of a device. */
export interface DeviceNeeds {
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * Opens a device with the features and limits that an artifact was compiled for.
 * @throws FfiError `unsupported` where there is no WebGPU, no adapter, or none with what is needed.
 */
export async function openDevice(needs: DeviceNeeds, options: DeviceOptions): Promise<OpenDevice> {
  if (options.device !== undefined) return { device: options.device, owned: false };
  const gpu = options.gpu ?? host.navigator?.gpu;
  if (gpu === undefined) {
    throw new FfiError("unsupported", "This host has no WebGPU. In Node give `gpu` (`nodeGpu()` of @verticil/runtime-ffi/node makes it); elsewhere use a model that was compiled for `wasm`.");
  }
  const adapter = await gpu.requestAdapter(options.powerPreference === undefined ? {} : { powerPreference: options.powerPreference });
  if (adapter === null) throw new FfiError("unsupported", "There is no WebGPU adapter here: no GPU that the host accepts. Use a model that was compiled for `wasm`.");
  const missing = needs.features.filter((f) => !adapter.features.has(f));
  if (missing.length > 0) throw new FfiError("unsupported", `The WebGPU adapter lacks ${missing.join(", ")}, which the model was compiled for. Compile it without.`);
  const requiredLimits = requestedLimits(adapter, needs.limits);
  try {
    const device = await adapter.requestDevice({ requiredFeatures: [...needs.features] as never[], requiredLimits });
    return { device, owned: true };
  } catch (cause) {
    throw new FfiError("unsupported", "The WebGPU adapter gave no device.", { cause });
  }
}

/** The limits to ask for: those that the target raises, as far as the adapter has them. */
function requestedLimits(adapter: GpuAdapter, limits: Readonly<Record<string, number>>): Record<string, number> {
  const out: Record<string, number> = {};
  const offered = adapter.limits as Readonly<Record<string, number | undefined>>;
  for (const [name, needed] of Object.entries(limits)) {
    const has = offered[name];
    if (has === undefined) continue;
    const isAlignment = name.startsWith("min");
    if (isAlignment ? has > needed : has < needed) {
      throw new FfiError("unsupported", `The WebGPU adapter has \`${name}\` ${has}; the model was compiled for ${needed}. Compile it for the adapter's limits.`);
    }
    // A device grants the default without being asked, and refuses to be asked for less.
    const fallback = DEFAULTS[name];
    if (fallback === undefined || (isAlignment ? needed < fallback : needed > fallback)) out[name] = needed;
  }
  return out;
}

/** The limits that every device has: asking for less is asking for nothing. */
const DEFAULTS: Readonly<Record<string, number>> = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  minStorageBufferOffsetAlignment: 256,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
};
