import { lookupFunc, type IRModule, type WebgpuTarget } from "@verticil/ir-core";
import { ABI_VERSION, sealManifest, writeSafetensors } from "@verticil/runtime-ffi";
import type { WebgpuManifest } from "@verticil/runtime-ffi/webgpu";
import type { WebgpuBuild } from "@verticil/target-webgpu";
import type { PrimFunc } from "@verticil/tir";
import { constantsOf, fileSpec, fileStem, kernelCalls, valueSpecs } from "./artifact.ts";
import { modelTypes, webgpuModelModule } from "./model-module.ts";

/** A model for WebGPU as files. */
export interface WebgpuArtifact {
  readonly manifest: WebgpuManifest;
  readonly wgsl: Uint8Array;
  readonly weights: Uint8Array;
  /** All files by name, text as text. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** What the manifest says beyond what the module does. */
export interface WebgpuArtifactOptions {
  readonly name: string;
  readonly target: WebgpuTarget;
  readonly ops: Readonly<Record<string, number>>;
  readonly licences: readonly string[];
}

/** The files of a module that went through `LowerStaticMain`, with its kernels. */
export async function makeWebgpuArtifact(module: IRModule, build: WebgpuBuild, opts: WebgpuArtifactOptions): Promise<WebgpuArtifact> {
  const main = lookupFunc(module, "main") as PrimFunc;
  const constants = constantsOf(module, main.attrs);
  const weights = writeSafetensors(new Map(constants.map((c) => [c.name, c.data])));
  const wgsl = new TextEncoder().encode(build.code);
  const stem = fileStem(opts.name);
  const outputs = build.program.outputs.reduce((sum, o) => sum + o.bytes, 0);
  const manifest: WebgpuManifest = await sealManifest<Omit<WebgpuManifest, "sha256">>({
    format: "verticil",
    abi: ABI_VERSION,
    name: opts.name,
    target: { ...opts.target },
    inputs: valueSpecs(main.attrs["inputs"]),
    outputs: valueSpecs(main.attrs["outputs"]),
    constants: constants.map(({ name, offset }) => ({ name, offset })),
    memory: {
      base: 0,
      arena: Number(main.attrs["arena_bytes"]),
      params: Number(main.attrs["params_bytes"]),
      // Outputs are read through a buffer of their own.
      peak: build.program.buffers.reduce((a, b) => a + b, outputs),
    },
    kernels: kernelCalls(main),
    ops: opts.ops,
    files: { wgsl: await fileSpec(`${stem}.wgsl`, wgsl), weights: await fileSpec(`${stem}.safetensors`, weights) },
    program: build.program,
    licences: opts.licences,
  });
  const files = new Map<string, Uint8Array | string>([
    ["artifact.json", `${JSON.stringify(manifest, null, 1)}\n`],
    [`${stem}.wgsl`, build.code],
    [`${stem}.safetensors`, weights],
    [`${stem}.js`, webgpuModelModule(manifest)],
    [`${stem}.d.ts`, modelTypes(manifest)],
  ]);
  return { manifest, wgsl, weights, files };
}
