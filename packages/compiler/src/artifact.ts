import { lookupFunc, type AttrMap, type AttrValue, type IRModule, type WasmTarget } from "@verticil/ir-core";
import type { Constant } from "@verticil/relax";
import {
  ABI_VERSION,
  isDType,
  sealManifest,
  sha256,
  writeSafetensors,
  type CodeFiles,
  type FileSpec,
  type Manifest,
  type ScalarDType,
  type Tensor,
  type ValueSpec,
} from "@verticil/runtime-ffi";
import type { PrimFunc } from "@verticil/tir";
import { modelModule, modelTypes } from "./model-module.ts";

/** The code of a model: for every engine with SIMD128, and for those with relaxed SIMD where that differs. */
export interface ModelCode {
  readonly wasm: Uint8Array;
  readonly relaxed: Uint8Array | undefined;
}

/** A compiled model as files. */
export interface Artifact {
  readonly manifest: Manifest;
  readonly code: ModelCode;
  readonly weights: Uint8Array;
  /** All files by name, text as text. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** What the manifest says beyond what the module does. */
export interface ArtifactOptions {
  readonly name: string;
  readonly target: WasmTarget;
  readonly ops: Readonly<Record<string, number>>;
  readonly licences: readonly string[];
  /** Bytes at the start of memory that the code keeps for itself. */
  readonly reservedBytes: number;
  /** What the code says of threads. */
  readonly threads?: Manifest["threads"];
}

/**
 * The files of a module that went through `LowerStaticMain`, with its code.
 * @throws RangeError if the module has no `main` with the attributes of that pass.
 */
export async function makeArtifact(module: IRModule, code: ModelCode, opts: ArtifactOptions): Promise<Artifact> {
  const main = lookupFunc(module, "main");
  if (main.attrs["arena_bytes"] === undefined) throw new RangeError("`main` was not lowered to a static program.");
  const constants = constantsOf(module, main.attrs);
  const weights = writeSafetensors(new Map(constants.map((c) => [c.name, c.data])));
  const stem = fileStem(opts.name);
  const arena = Number(main.attrs["arena_bytes"]);
  const params = Number(main.attrs["params_bytes"]);
  const manifest = await sealManifest<Omit<Manifest, "sha256">>({
    format: "verticil",
    abi: ABI_VERSION,
    name: opts.name,
    target: { ...opts.target },
    inputs: valueSpecs(main.attrs["inputs"]),
    outputs: valueSpecs(main.attrs["outputs"]),
    constants: constants.map(({ name, offset }) => ({ name, offset })),
    memory: { base: opts.reservedBytes, arena, params, peak: opts.reservedBytes + arena + params },
    kernels: kernelCalls(main as PrimFunc),
    ops: opts.ops,
    ...(opts.threads === undefined ? {} : { threads: opts.threads }),
    files: { ...(await codeSpecs(stem, code)), weights: await fileSpec(`${stem}.safetensors`, weights) },
    licences: opts.licences,
  });
  const files = new Map<string, Uint8Array | string>([
    ["artifact.json", `${JSON.stringify(manifest, null, 2)}\n`],
    ...codeEntries(stem, code),
    [`${stem}.safetensors`, weights],
    [`${stem}.js`, modelModule(manifest)],
    [`${stem}.d.ts`, modelTypes(manifest)],
  ]);
  return { manifest, code, weights, files };
}

/** The constants of a static program, by the names that they have in the weights file. */
export function constantsOf(module: IRModule, attrs: AttrMap): readonly { readonly name: string; readonly offset: number; readonly data: Tensor }[] {
  const nodes = listOf(module.attrs["constants"]) as readonly Constant[];
  const offsets = listOf(attrs["constants"]).map(Number);
  return nodes.map((node, i) => ({ name: `c${i}`, offset: offsets[i] ?? 0, data: node.data }));
}

/** The inputs or outputs that an attribute of `LowerStaticMain` lists. */
export function valueSpecs(value: AttrValue | undefined): readonly ValueSpec[] {
  return listOf(value).map((v) => {
    const { name, shape, dtype, space, offset } = v as AttrMap;
    return {
      name: String(name),
      shape: listOf(shape).map(Number),
      dtype: scalar(String(dtype)),
      space: space === "params" ? "params" : "arena",
      offset: Number(offset),
    };
  });
}

function scalar(text: string): ScalarDType {
  if (!isDType(text)) throw new RangeError(`\`${text}\` is not a data type.`);
  return text as ScalarDType;
}

function listOf(value: AttrValue | undefined): readonly AttrValue[] {
  return Array.isArray(value) ? value : [];
}

/** How often `main` calls each kernel, in order of the first call. */
export function kernelCalls(main: PrimFunc): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const stmts = main.body.kind === "tir.SeqStmt" ? main.body.seq : [main.body];
  for (const s of stmts) {
    if (s.kind !== "tir.Evaluate" || s.value.kind !== "tir.Call" || s.value.op.kind !== "ir.GlobalVar") continue;
    counts.set(s.value.op.name, (counts.get(s.value.op.name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/** What the manifest says of a file. */
export async function fileSpec(path: string, bytes: Uint8Array): Promise<FileSpec> {
  return { path, bytes: bytes.byteLength, sha256: (await sha256(bytes)) ?? "" };
}

/** What the manifest says of the code. */
export async function codeSpecs(stem: string, { wasm, relaxed }: ModelCode): Promise<CodeFiles> {
  const plain = await fileSpec(`${stem}.wasm`, wasm);
  return relaxed === undefined ? { wasm: plain } : { wasm: plain, relaxed: await fileSpec(`${stem}.relaxed.wasm`, relaxed) };
}

/** The files of the code. */
export function codeEntries(stem: string, { wasm, relaxed }: ModelCode): readonly (readonly [string, Uint8Array])[] {
  return [[`${stem}.wasm`, wasm], ...(relaxed === undefined ? [] : [[`${stem}.relaxed.wasm`, relaxed] as const])];
}

/** A name that every file system takes. */
export function fileStem(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._-]+/, "") || "model";
}
