import { defaultWasmTarget, makeGlobalVar, makeIRModule, type IRModule, type WasmTarget } from "@verticil/ir-core";
import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import type { PrimFunc } from "@verticil/tir";
import { buildWasm, type BuildWasmOptions } from "../build-wasm.ts";

/** What a run may be told. */
export interface RunOptions extends BuildWasmOptions {
  readonly simd?: WasmTarget["simd"];
  /** Functions for `call_extern`. */
  readonly externs?: Record<string, (...args: never[]) => unknown>;
}

/** The module of one function, exported as `main`. */
export function moduleOfFunc(func: PrimFunc): IRModule {
  return makeIRModule(new Map([[makeGlobalVar("main"), { ...func, attrs: { ...func.attrs, global_symbol: "main" } }]]));
}

/** Compiles `module`, runs its export `name`, and writes what it did to memory back into the tensors. */
export function runModule(module: IRModule, name: string, args: readonly (Tensor | number | bigint)[], opts: RunOptions = {}): unknown {
  const built = buildWasm(module, { ...defaultWasmTarget, simd: opts.simd ?? "128" }, opts);
  if (!WebAssembly.validate(built.bytes)) new WebAssembly.Module(built.bytes);
  let end = Math.ceil(built.reservedBytes / 64) * 64;
  const addresses = args.map((a) => {
    if (typeof a !== "object") return a;
    const address = end;
    end = Math.ceil((end + a.data.byteLength + 16) / 64) * 64;
    return address;
  });
  const pages = Math.ceil(end / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(built.bytes), { env: { memory, ...opts.externs } });
  const bytes = new Uint8Array(memory.buffer);
  for (const [i, a] of args.entries()) if (typeof a === "object") bytes.set(tensorBytes(a), Number(addresses[i]));
  const f = instance.exports[name] as (...args: unknown[]) => unknown;
  const result = f(...addresses);
  for (const [i, a] of args.entries()) {
    if (typeof a === "object") tensorBytes(a).set(bytes.subarray(Number(addresses[i]), Number(addresses[i]) + a.data.byteLength));
  }
  return result;
}

/** Compiles one function and runs it. */
export function runFunc(func: PrimFunc, args: readonly (Tensor | number | bigint)[], opts: RunOptions = {}): unknown {
  return runModule(moduleOfFunc(func), "main", args, opts);
}
