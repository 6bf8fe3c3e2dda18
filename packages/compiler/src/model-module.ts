import type { Manifest, ScalarDType, ValueSpec } from "@verticil/runtime-ffi";
import type { WebgpuManifest } from "@verticil/runtime-ffi/webgpu";

/** The JavaScript module of an artifact: `load()` fetches the files beside it and gives the model. */
export function modelModule(manifest: Manifest): string {
  return moduleText(manifest.name, {
    from: "@verticil/runtime-ffi",
    loader: "loadModel",
    streams: true,
    options: "simd, threads, signal, onProgress, verify",
    code: { name: "wasm", path: manifest.files.wasm.path, relaxed: manifest.files.relaxed?.path },
    weights: manifest.files.weights.path,
  });
}

/** The JavaScript module of an artifact for WebGPU. In Node `load` takes the `gpu` to run on. */
export function webgpuModelModule(manifest: WebgpuManifest): string {
  return moduleText(manifest.name, {
    from: "@verticil/runtime-ffi/webgpu",
    loader: "loadWebgpuModel",
    streams: false,
    options: "gpu, device, powerPreference, signal, onProgress, verify",
    code: { name: "wgsl", path: manifest.files.wgsl.path },
    weights: manifest.files.weights.path,
  });
}

/** What differs between the modules of artifacts. */
interface ModuleParts {
  readonly from: string;
  readonly loader: string;
  /** Whether the loader reads a file of weights itself, where there is one. */
  readonly streams: boolean;
  readonly options: string;
  readonly code: { readonly name: string; readonly path: string; readonly relaxed?: string | undefined };
  readonly weights: string;
}

function moduleText(name: string, { from, loader, streams, options, code, weights }: ModuleParts): string {
  const choice = codeChoice(code);
  return `// ${oneLine(name)}: a compiled model. \`artifact.json\` beside this file says what it is made of.
import { ${streams ? "fileSource, " : ""}${loader}, readBytes${choice.names} } from "${from}";

/** Loads the model. Options: ${options}. */
export async function load(options = {}) {
${choice.before}  const ${code.name} = readBytes(${choice.url}, options);
  const weightsUrl = new URL(${JSON.stringify(`./${weights}`)}, import.meta.url);
  const weights = ${streams ? "fileSource(weightsUrl) ?? " : ""}readBytes(weightsUrl, options);
  for (const file of [${code.name}, weights]) file.catch?.(() => {}); // \`${loader}\` tells of it, or of what came before.
  const manifest = JSON.parse(new TextDecoder().decode(await readBytes(new URL("./artifact.json", import.meta.url), options)));
  return ${loader}({ manifest, ${code.name}, weights${choice.given} }, options);
}
`;
}

/** The parts of a module that choose between the two variants of the code, where there are two. */
export function codeChoice({ path, relaxed }: { readonly path: string; readonly relaxed?: string | undefined }): CodeChoice {
  const url = (file: string): string => `new URL(${JSON.stringify(`./${file}`)}, import.meta.url)`;
  if (relaxed === undefined) return { names: "", before: "", url: url(path), given: "" };
  return {
    names: ", usesRelaxedSimd",
    before: "  const relaxed = usesRelaxedSimd(options);\n",
    // Both addresses are written out: bundlers look for them.
    url: `relaxed ? ${url(relaxed)} : ${url(path)}`,
    given: ", relaxed",
  };
}

/** Pieces of the text of a module. */
export interface CodeChoice {
  /** More names to import. */
  readonly names: string;
  /** The line that chooses. */
  readonly before: string;
  /** The address of the code. */
  readonly url: string;
  /** What the loader is told of the choice. */
  readonly given: string;
}

/** The array that holds the elements of a type. */
export const ARRAYS: { readonly [D in ScalarDType]?: string } = {
  bool: "Uint8Array",
  int8: "Int8Array",
  uint8: "Uint8Array",
  int16: "Int16Array",
  uint16: "Uint16Array",
  int32: "Int32Array",
  uint32: "Uint32Array",
  int64: "BigInt64Array",
  uint64: "BigUint64Array",
  float16: "Uint16Array",
  float32: "Float32Array",
  float64: "Float64Array",
};

const SHARED_TYPES = 'import type { LoadOptions, Model, Tensor, TensorData } from "@verticil/runtime-ffi";';
const WEBGPU_TYPES = 'import type { Model, Tensor, TensorData } from "@verticil/runtime-ffi";\nimport type { WebgpuLoadOptions as LoadOptions } from "@verticil/runtime-ffi/webgpu";';

/** The runtime's types in brief, for a module that brings the runtime along. */
const OWN_TYPES = `export type TensorData = ${[...new Set(Object.values(ARRAYS))].join(" | ")};

/** An n-dimensional array: compact, row-major. 16-bit floats are raw bits. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface LoadOptions {
  /** For models that run on WebAssembly: the code that gives the same results on every machine. */
  readonly simd?: "128";
  /** For models that run on WebAssembly: threads that parallel loops may use, \`"auto"\` for as many as the machine has; 1 unless told. */
  readonly threads?: number | "auto";
  readonly signal?: { readonly aborted: boolean; throwIfAborted(): void };
  readonly onProgress?: (event: { readonly status: "initiate" | "download" | "compile" | "ready"; readonly name: string; readonly progress: number }) => void;
  /** Compare the files' SHA-256 with the manifest; on unless told. */
  readonly verify?: boolean;
  /** For models that run on WebGPU: what to run on, \`navigator.gpu\` unless told. */
  readonly gpu?: object;
}

interface Model {
  readonly name: string;
  readonly memoryBytes: number;
  run(inputs: never): Promise<unknown>;
  runSync(inputs: never): unknown;
  dispose(): void;
}`;

/**
 * The types of an artifact's module: its inputs and outputs by name, with shapes and data types. Those of a standalone
 * one import nothing.
 */
export function modelTypes(manifest: Manifest | WebgpuManifest, opts: { readonly standalone?: boolean } = {}): string {
  const comment = (v: ValueSpec): string => `  /** ${v.dtype}[${v.shape.join(", ")}] */`;
  const input = (v: ValueSpec): string => `${comment(v)}\n  readonly ${key(v.name)}: Tensor | ${ARRAYS[v.dtype] ?? "TensorData"};`;
  const output = (v: ValueSpec): string => `${comment(v)}\n  readonly ${key(v.name)}: Tensor;`;
  return `${opts.standalone === true ? OWN_TYPES : manifest.target.kind === "webgpu" ? WEBGPU_TYPES : SHARED_TYPES}

/** What \`run\` takes. */
export interface Inputs {
${manifest.inputs.map(input).join("\n")}
}

/** What \`run\` gives. */
export interface Outputs {
${manifest.outputs.map(output).join("\n")}
}

/** The model, with its own inputs and outputs. */
export interface TypedModel extends Omit<Model, "run" | "runSync"> {
  run(inputs: Inputs): Promise<Outputs>;
  runSync(inputs: Inputs, options?: { readonly copy?: boolean }): Outputs;
}
${opts.standalone === true ? "" : "\nexport type { Tensor, TensorData };\n"}
/** Loads the model from the files beside this module. */
export function load(options?: LoadOptions): Promise<TypedModel>;
`;
}

/** A name as a property. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Text for a comment of one line. */
export function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
