import type { ModelValue } from "@verticil/runtime-ffi";
import type { VmManifest } from "@verticil/runtime-ffi/vm";
import { ARRAYS, codeChoice, key, oneLine } from "./model-module.ts";

/** The JavaScript module of the artifact of a program: `load()` fetches the files beside it and gives the model. */
export function vmModelModule(manifest: VmManifest): string {
  const choice = codeChoice({ path: manifest.files.wasm.path, relaxed: manifest.files.relaxed?.path });
  const { compiled } = manifest.files;
  const given = compiled === undefined ? "options" : "{ compiled, ...options }";
  const file = (path: string): string => `readBytes(new URL(${JSON.stringify(`./${path}`)}, import.meta.url), options)`;
  return `// ${oneLine(manifest.name)}: a compiled model. \`artifact.json\` beside this file says what it is made of.
import { readBytes${choice.names} } from "@verticil/runtime-ffi";
import { loadVmModel } from "@verticil/runtime-ffi/vm";
${compiled === undefined ? "" : `import { functions as compiled } from ${JSON.stringify(`./${compiled.path}`)};\n`}
/** Loads the model. Options: simd, signal, onProgress, verify, functions. */
export async function load(options = {}) {
${choice.before}  const [manifest, wasm, weights, program] = await Promise.all([
    ${file("artifact.json")},
    readBytes(${choice.url}, options),
    ${file(manifest.files.weights.path)},
    ${file(manifest.files.program.path)},
  ]);
  return loadVmModel({ manifest: JSON.parse(new TextDecoder().decode(manifest)), wasm, weights, program${choice.given} }, ${given});
}
`;
}

/** The types of an artifact's module: its inputs and outputs by name; sizes that are not fixed go by their names. */
export function vmModelTypes(manifest: VmManifest, opts: { readonly standalone?: boolean } = {}): string {
  const comment = (v: ModelValue): string => `  /** ${v.dtype}[${v.shape.join(", ")}] */`;
  const fixed = (v: ModelValue): boolean => v.shape.every((d) => typeof d === "number");
  const input = (v: ModelValue): string => `${comment(v)}\n  readonly ${key(v.name)}: Tensor${fixed(v) ? ` | ${ARRAYS[v.dtype] ?? "TensorData"}` : ""};`;
  const output = (v: ModelValue): string => `${comment(v)}\n  readonly ${key(v.name)}: Tensor;`;
  const symbols = [...new Set([...manifest.inputs, ...manifest.outputs].flatMap((v) => v.shape.filter((d) => typeof d === "string" && /^[A-Za-z_]\w*$/.test(d))))];
  return `${opts.standalone === true ? OWN_VM_TYPES : SHARED_VM_TYPES}
${symbols.length === 0 ? "" : `\n/** Sizes that each run may choose anew; equal names are equal sizes. */\nexport type SymbolicDim = ${symbols.map((s) => JSON.stringify(s)).join(" | ")};\n`}
/** What \`run\` takes. */
export interface Inputs {
${manifest.inputs.map(input).join("\n")}
}

/** What \`run\` gives. */
export interface Outputs {
${manifest.outputs.map(output).join("\n")}
}

/** The model, with its own inputs and outputs. */
export interface TypedModel extends Omit<VmModel, "run" | "runSync"> {
  run(inputs: Inputs): Promise<Outputs>;
  runSync(inputs: Inputs): Outputs;
}
${opts.standalone === true ? "" : "\nexport type { Tensor, TensorData };\n"}
/** Loads the model from the files beside this module. */
export function load(options?: VmLoadOptions): Promise<TypedModel>;
`;
}

const SHARED_VM_TYPES = `import type { Tensor, TensorData } from "@verticil/runtime-ffi";
import type { VmLoadOptions, VmModel } from "@verticil/runtime-ffi/vm";`;

/** The runtime's types in brief, for a module that brings the runtime along. */
const OWN_VM_TYPES = `export type TensorData = ${[...new Set(Object.values(ARRAYS))].join(" | ")};

/** An n-dimensional array: compact, row-major. 16-bit floats are raw bits. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface VmLoadOptions {
  /** The code that gives the same results on every machine. */
  readonly simd?: "128";
  readonly signal?: { readonly aborted: boolean; throwIfAborted(): void };
  readonly onProgress?: (event: { readonly status: "initiate" | "download" | "compile" | "ready"; readonly name: string; readonly progress: number }) => void;
  /** Compare the files' SHA-256 with the manifest; on unless told. */
  readonly verify?: boolean;
  /** Functions of the host that the program calls, by name. */
  readonly functions?: Readonly<Record<string, (args: readonly unknown[], ctx: unknown) => unknown>>;
}

interface VmModel {
  readonly name: string;
  readonly memoryBytes: number;
  readonly vm: { invoke(name: string, ...args: readonly unknown[]): unknown };
  run(inputs: never): Promise<unknown>;
  runSync(inputs: never): unknown;
  dispose(): void;
}`;
