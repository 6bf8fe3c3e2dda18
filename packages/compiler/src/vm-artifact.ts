import type { IRModule } from "@verticil/ir-core";
import { isRelaxFunction, shapeOf, structInfoOf, vmCodegen, vmJavaScript, vmTirCodegen, type Function, type StructInfo } from "@verticil/relax";
import { ABI_VERSION, sealManifest, writeSafetensors, type ModelValue } from "@verticil/runtime-ffi";
import { encodeVmExecutable, type VmExecutable, type VmManifest } from "@verticil/runtime-ffi/vm";
import { print } from "@verticil/tvmscript";
import { codeEntries, codeSpecs, fileSpec, fileStem, type ArtifactOptions, type ModelCode } from "./artifact.ts";
import { scriptDialects } from "./compile-context.ts";
import { vmModelModule, vmModelTypes } from "./vm-model-module.ts";

/** A compiled program as files. */
export interface VmArtifact {
  readonly manifest: VmManifest;
  readonly executable: VmExecutable;
  readonly code: ModelCode;
  readonly weights: Uint8Array;
  readonly program: Uint8Array;
  /** The module with the program's own functions as code; undefined where their instructions are run. */
  readonly compiled: string | undefined;
  /** All files by name, text as text. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** What `main` takes and gives, as the module says before it is lowered: see `describeMain`. */
export interface MainDescription {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly entries: readonly string[];
}

/** The public functions of a module, and the tensors that `main` takes and gives. */
export function describeMain(module: IRModule): MainDescription {
  const publics = [...module.functions].filter(([, f]) => isRelaxFunction(f) && f.attrs["global_symbol"] !== undefined).map(([gv]) => gv.name);
  const main = [...module.functions].find(([gv, f]) => gv.name === "main" && isRelaxFunction(f))?.[1];
  if (!isRelaxFunction(main)) return { inputs: [], outputs: [], entries: publics };
  const inputs = main.params.flatMap((p, i) => tensorSpecs(namesOf(main, "input_names")[i] ?? p.name, p.structInfo));
  const names = namesOf(main, "output_names");
  const outputs = tensorSpecs("output", structInfoOf(main.body) ?? main.retStructInfo).map((spec, i) => ({ ...spec, name: names[i] ?? `output_${i}` }));
  return { inputs, outputs, entries: publics };
}

function namesOf(func: Function, attr: string): readonly string[] {
  const value = func.attrs[attr];
  return Array.isArray(value) ? value.map(String) : [];
}

function tensorSpecs(name: string, info: StructInfo | undefined): readonly ModelValue[] {
  if (info?.kind === "relax.TupleStructInfo") return info.fields.flatMap((f, i) => tensorSpecs(`${name}_${i}`, f));
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined) return [];
  const dims = shapeOf(info)?.map((d) => (d.kind === "ir.IntImm" ? Number(d.value) : "name" in d ? d.name : print(d, { dialects: scriptDialects }).trim().replace(/T\.int64\((-?\d+)\)/g, "$1")));
  return [{ name, shape: dims ?? Array.from({ length: Math.max(0, info.ndim) }, () => "?"), dtype: info.dtype }];
}

/** The files of a module that went through the passes of the virtual machine, with its code. */
export async function makeVmArtifact(module: IRModule, code: ModelCode, main: MainDescription, opts: ArtifactOptions & { readonly execMode?: "bytecode" | "compiled" }): Promise<VmArtifact> {
  const { executable, constants } = vmCodegen(module);
  const program = encodeVmExecutable(executable);
  const compiled = opts.execMode === "compiled" ? vmJavaScript(vmTirCodegen(executable), executable) : undefined;
  const weights = writeSafetensors(constants);
  const stem = fileStem(opts.name);
  const params = [...constants.values()].reduce((sum, t) => sum + t.data.byteLength, 0);
  const manifest = await sealManifest<Omit<VmManifest, "sha256">>({
    format: "verticil",
    abi: ABI_VERSION,
    name: opts.name,
    target: { ...opts.target },
    entries: main.entries,
    inputs: main.inputs,
    outputs: main.outputs,
    memory: { base: opts.reservedBytes, params },
    kernels: kernelCalls(executable),
    ops: opts.ops,
    files: { ...(await codeSpecs(stem, code)), weights: await fileSpec(`${stem}.safetensors`, weights), program: await fileSpec(`${stem}.vm`, program), ...(compiled === undefined ? {} : { compiled: await fileSpec(`${stem}.vm.js`, new TextEncoder().encode(compiled)) }) },
    licences: opts.licences,
  });
  const files = new Map<string, Uint8Array | string>([
    ["artifact.json", `${JSON.stringify(manifest, null, 2)}\n`],
    ...codeEntries(stem, code),
    [`${stem}.safetensors`, weights],
    [`${stem}.vm`, program],
    ...(compiled === undefined ? [] : [[`${stem}.vm.js`, compiled] as const]),
    [`${stem}.js`, vmModelModule(manifest)],
    [`${stem}.d.ts`, vmModelTypes(manifest)],
  ]);
  return { manifest, executable, code, weights, program, compiled, files };
}

/** How often the instructions of a program call each kernel. */
function kernelCalls(executable: VmExecutable): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const f of executable.functions) {
    if (f.kind !== "bytecode") continue;
    for (const i of f.code) {
      const callee = i.op === "call" ? executable.functions[i.func] : undefined;
      if (callee?.kind === "kernel") counts.set(callee.name, (counts.get(callee.name) ?? 0) + 1);
    }
  }
  return Object.fromEntries(counts);
}
