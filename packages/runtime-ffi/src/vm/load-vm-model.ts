import { describeAny, isTensor, isTuple, type Any, type Functions } from "../any.ts";
import { codeSpec } from "../code-variant.ts";
import { FfiError } from "../ffi-error.ts";
import { host, type WasmMemory, type WasmModule } from "../host.ts";
import { verifyManifest } from "../manifest.ts";
import { compileCode, settled, simdOf, takeFile, unwrap, type Capabilities, type InputValue, type LoadOptions, type Model, type ModelValue } from "../model.ts";
import { readSafetensors } from "../safetensors.ts";
import { tensor, type Tensor } from "../tensor.ts";
import { decodeVmExecutable } from "./decode.ts";
import type { VmExecutable } from "./executable.ts";
import { VirtualMachine, type Kernel, type VmHost } from "./virtual-machine.ts";
import { checkVmManifest, type VmManifest } from "./vm-manifest.ts";

/** What a program is loaded from: the manifest and its files, which may still be on their way. */
export interface VmModelFiles {
  readonly manifest: unknown;
  readonly wasm: Uint8Array | PromiseLike<Uint8Array>;
  readonly weights: Uint8Array | PromiseLike<Uint8Array>;
  readonly program: Uint8Array | PromiseLike<Uint8Array>;
  /** True if `wasm` is the file that the manifest calls `relaxed`: see `chooseCode`. */
  readonly relaxed?: boolean;
}

/** Options of `loadVmModel`. */
export interface VmLoadOptions extends LoadOptions {
  /** Functions of the host that the program calls, by name. */
  readonly functions?: Functions;
  /** Code of the program's own functions, by name: it runs in place of their instructions. */
  readonly compiled?: VmHost["compiled"];
}

/** A compiled program in memory. `run` calls `main` with its inputs by name; `vm` calls any of its functions. */
export interface VmModel extends Model {
  readonly vm: VirtualMachine;
}

const PAGE = 65536;
const MAX_PAGES = 65536;

/**
 * Makes a model of the files of a program.
 * @throws FfiError `invalid-artifact` for damaged files, `abi-mismatch`, `unsupported` for a host without WebAssembly
 * SIMD or memory, or for functions of the host that the program calls and that were not given.
 */
export async function loadVmModel(files: VmModelFiles, options: VmLoadOptions = {}): Promise<VmModel> {
  // Arrivals that fail are told of when they are asked for, not as rejections that nobody waits for.
  const arrivals = {
    wasm: settled(Promise.resolve(files.wasm)),
    weights: settled(Promise.resolve(files.weights)),
    program: settled(Promise.resolve(files.program)),
  };
  const manifest = checkVmManifest(files.manifest);
  options.onProgress?.({ status: "initiate", name: manifest.name, progress: 0 });
  options.signal?.throwIfAborted();
  if (options.verify !== false) await verifyManifest(manifest);
  const memory = allocate(manifest);
  const specs = { ...manifest.files, wasm: codeSpec(manifest.files, files.relaxed) };
  const take = async <T>(file: keyof typeof arrivals, use: (bytes: Uint8Array) => T | PromiseLike<T>): Promise<T> =>
    takeFile(specs[file], unwrap(await arrivals[file]), options.verify !== false, use);
  const compiled = settled(take("wasm", (bytes) => compileCode(specs.wasm, bytes)));
  options.onProgress?.({ status: "compile", name: manifest.name, progress: 0.5 });
  const executable = await take("program", decodeVmExecutable);
  const { tensors } = await take("weights", readSafetensors);
  const { kernels, stackPointer } = await instantiate(manifest, executable, unwrap(await compiled), memory);
  options.signal?.throwIfAborted();
  const vm = new VirtualMachine(executable, { memory, base: manifest.memory.base, kernels, stackPointer, constants: tensors, functions: options.functions ?? {}, ...(options.compiled === undefined ? {} : { compiled: options.compiled }) });
  options.onProgress?.({ status: "ready", name: manifest.name, progress: 1 });
  return new LoadedProgram(manifest, memory, { vm, simd: simdOf(manifest, files.relaxed) });
}

function allocate(manifest: VmManifest): WasmMemory {
  if (host.WebAssembly === undefined) throw new FfiError("unsupported", "This host has no WebAssembly.");
  const { base, params } = manifest.memory;
  const initial = Math.ceil((base + params) / PAGE) + 1;
  try {
    return new host.WebAssembly.Memory({ initial, maximum: MAX_PAGES });
  } catch (cause) {
    throw new FfiError("unsupported", `The host refused ${initial * PAGE} bytes of memory for \`${manifest.name}\`.`, { cause });
  }
}

async function instantiate(manifest: VmManifest, executable: VmExecutable, module: WasmModule, memory: WasmMemory): Promise<Pick<VmHost, "kernels" | "stackPointer">> {
  const { path } = manifest.files.wasm;
  const kernels: Record<string, Kernel> = {};
  let stackPointer: { value: number } | undefined;
  try {
    const instance = await host.WebAssembly?.instantiate(module, { env: { memory } });
    for (const [name, f] of Object.entries(instance?.exports ?? {})) if (typeof f === "function") kernels[name] = f as Kernel;
    stackPointer = instance?.exports["__stack_pointer"] as { value: number } | undefined;
  } catch (cause) {
    throw new FfiError("invalid-artifact", `\`${path}\` does not fit the model's memory. Compile the model again.`, { cause });
  }
  const missing = executable.functions.find((f) => f.kind === "kernel" && kernels[f.name] === undefined);
  if (missing !== undefined) throw new FfiError("invalid-artifact", `\`${path}\` exports no \`${missing.name}\`.`);
  return { kernels, stackPointer };
}

class LoadedProgram implements VmModel {
  readonly name: string;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly capabilities: Capabilities;
  readonly vm: VirtualMachine;
  readonly #memory: WasmMemory;

  constructor(manifest: VmManifest, memory: WasmMemory, { vm, simd }: { readonly vm: VirtualMachine; readonly simd: string }) {
    this.name = manifest.name;
    this.inputs = manifest.inputs;
    this.outputs = manifest.outputs;
    this.capabilities = { backend: "wasm", simd, threads: 1, sharedMemory: false };
    this.vm = vm;
    this.#memory = memory;
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, Tensor>> {
    return new Promise((resolve) => resolve(this.runSync(inputs)));
  }

  runSync(inputs: Readonly<Record<string, InputValue>>): Record<string, Tensor> {
    for (const name of Object.keys(inputs)) {
      if (!this.inputs.some((i) => i.name === name)) throw this.#inputError(`has no input \`${name}\``);
    }
    const result = this.vm.invoke("main", ...this.inputs.map((spec) => this.#input(spec, inputs[spec.name])));
    const values = leaves(result);
    return Object.fromEntries(values.map((t, i) => [this.outputs[i]?.name ?? `output_${i}`, t]));
  }

  #input(spec: ModelValue, value: InputValue | undefined): Tensor {
    if (value === undefined || value === null) throw this.#inputError(`was given no input \`${spec.name}\``);
    if ("shape" in value) {
      const fits = value.dtype === spec.dtype && value.shape.length === spec.shape.length && spec.shape.every((d, i) => typeof d === "string" || d === value.shape[i]);
      if (!fits) throw this.#inputError(`takes \`${spec.name}\` as ${valueText(spec)}, not ${describeAny(value)}`);
      return value;
    }
    const shape = spec.shape.map(Number);
    if (shape.some(Number.isNaN)) throw this.#inputError(`does not know the shape of \`${spec.name}\`: give it as a tensor`);
    return tensor(value, shape, spec.dtype);
  }

  #inputError(what: string): FfiError {
    const list = this.inputs.map((v) => `\`${v.name}\`: ${valueText(v)}`).join("; ");
    return new FfiError("invalid-input", `The model \`${this.name}\` ${what}. Its inputs are ${list}.`);
  }

  dispose(): void {
    this.vm.dispose();
  }
}

function valueText(v: ModelValue): string {
  return `${v.dtype}[${v.shape.join(", ")}]`;
}

function leaves(value: Any): readonly Tensor[] {
  if (isTuple(value)) return value.flatMap(leaves);
  return isTensor(value) ? [value] : [];
}
