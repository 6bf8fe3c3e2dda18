import { sealManifest } from "../manifest.ts";
import { writeSafetensors } from "../safetensors.ts";
import { sha256 } from "../sha256.ts";
import { tensor } from "../tensor.ts";
import type { WebgpuModelFiles } from "../webgpu/load-webgpu-model.ts";
import type { WebgpuManifest } from "../webgpu/manifest.ts";
import { kernelHeading } from "../webgpu/program.ts";

const CODE = `${kernelHeading("scale")}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() { y[0] = x[0] * k[0]; }
`;

/** The parts of a manifest that a test may want otherwise. */
export type WebgpuManifestParts = Partial<Omit<WebgpuManifest, "sha256">>;

/** A model by hand, of one float32 `x` to one float32 `y`: `y = 3 · x`, with 3 in the weights. */
export async function tinyWebgpuModel(parts: WebgpuManifestParts = {}, code: string = CODE): Promise<WebgpuModelFiles & { readonly manifest: WebgpuManifest }> {
  const weights = writeSafetensors(new Map([["c0", tensor(Float32Array.of(3), [1])]]));
  const wgsl = new TextEncoder().encode(code);
  const place = (buffer: number): { readonly buffer: number; readonly offset: number; readonly bytes: number } => ({ buffer, offset: 0, bytes: 16 });
  const manifest: WebgpuManifest = await sealManifest<Omit<WebgpuManifest, "sha256">>({
    format: "verticil",
    abi: 1,
    name: "tiny",
    target: { kind: "webgpu", features: [], limits: {} },
    inputs: [{ name: "x", shape: [1], dtype: "float32", space: "arena", offset: 0 }],
    outputs: [{ name: "y", shape: [1], dtype: "float32", space: "arena", offset: 64 }],
    constants: [{ name: "c0", offset: 0 }],
    memory: { base: 0, arena: 128, params: 64, peak: 64 },
    kernels: {},
    ops: {},
    files: {
      wgsl: { path: "tiny.wgsl", bytes: wgsl.byteLength, sha256: (await sha256(wgsl)) ?? "" },
      weights: { path: "tiny.safetensors", bytes: weights.byteLength, sha256: (await sha256(weights)) ?? "" },
    },
    program: {
      buffers: [16, 16, 16],
      kernels: [{ name: "scale", bindings: ["read", "read", "write"] }],
      dispatches: [{ kernel: 0, grid: [1, 1, 1], args: [place(0), place(2), place(1)] }],
      inputs: [place(0)],
      outputs: [place(1)],
      constants: [place(2)],
    },
    licences: [],
    ...parts,
  });
  return { manifest, wgsl, weights };
}
