import { defaultWasmTarget, lookupFunc, makeGlobalVar, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type PassInstrument, type WasmTarget } from "@verticil/ir-core";
import { dtypeBytes, elementCount, randomTensor, tensorBytes, usesRelaxedSimd } from "@verticil/runtime-ffi";
import { buildWasm } from "@verticil/target-wasm";
import { asInt, estimateTirFlops, type PrimFunc, type Stmt } from "@verticil/tir";
import { constantsOf, valueSpecs } from "./artifact.ts";
import { compile, type CompileOptions } from "./compile.ts";

/** What one kernel of a model costs in a run. */
export interface KernelProfile {
  /** The tensor program's name after fusion. */
  readonly name: string;
  /** How often a run calls it. */
  readonly calls: number;
  /** Of all its calls in one run, each where it stands in the model: the sum of the minima over the runs. */
  readonly milliseconds: number;
  /** Floating-point operations of all calls, by `estimateTirFlops` of the program before it is scheduled. */
  readonly flops: number;
  /** Bytes of all calls: each operand and result once. */
  readonly bytes: number;
}

/** Options of `profileKernels`. */
export interface ProfileOptions extends Omit<CompileOptions, "target"> {
  /** What to compile for; relaxed SIMD is used where the engine has it, as a loaded model would. */
  readonly target?: WasmTarget;
  /** Runs that are measured, after as many to warm up; 30 unless told. */
  readonly runs?: number;
  /** A clock in milliseconds; the host's `performance.now` unless told. */
  readonly now?: () => number;
}

/**
 * Times each kernel of a model for WebAssembly where it runs: one call after the other over the model's own memory, so
 * that caches hold what they hold in the model. Most time first.
 *
 * @throws RangeError for a model that runs in the virtual machine: its kernels have no fixed order and sizes.
 * @throws DiagnosticError if the module cannot be compiled.
 */
export async function profileKernels(module: IRModule, options: ProfileOptions = {}): Promise<readonly KernelProfile[]> {
  const target = options.target ?? defaultWasmTarget;
  const seen = observer();
  const executable = await compile(module, { ...options, target, instruments: [...(options.instruments ?? []), seen.instrument] });
  if (executable.kind !== "static") throw new RangeError("The kernels of a model with open shapes or control flow cannot be timed one by one. Fix its sizes.");
  const relaxed = target.simd === "128" && usesRelaxedSimd();
  const { calls, prepare } = await openCalls(executable.module, relaxed ? { ...target, simd: "relaxed" } : target);
  const names = seen.calls().length === calls.length ? seen.calls() : calls.map((c) => c.name);
  const now = options.now ?? ((): number => performance.now());
  const runs = options.runs ?? 30;
  const best = calls.map(() => Infinity);
  for (let run = -runs; run < runs; run++) {
    options.signal?.throwIfAborted();
    prepare();
    for (const [i, { run: call }] of calls.entries()) {
      const started = now();
      call();
      const took = now() - started;
      if (run >= 0) best[i] = Math.min(best[i] ?? Infinity, took);
    }
  }
  return sumByName(names, best, seen.programs());
}

function sumByName(names: readonly string[], best: readonly number[], programs: ReadonlyMap<string, PrimFunc>): readonly KernelProfile[] {
  const rows = new Map<string, KernelProfile>();
  for (const [i, name] of names.entries()) {
    const program = programs.get(name);
    const known = rows.get(name);
    const flops = program === undefined ? 0 : estimateTirFlops(program);
    const bytes = program === undefined ? 0 : operandBytes(program);
    rows.set(name, {
      name,
      calls: (known?.calls ?? 0) + 1,
      milliseconds: (known?.milliseconds ?? 0) + (best[i] ?? NaN),
      flops: (known?.flops ?? 0) + flops,
      bytes: (known?.bytes ?? 0) + bytes,
    });
  }
  return [...rows.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function operandBytes(func: PrimFunc): number {
  let bytes = 0;
  for (const buffer of func.bufferMap.values()) bytes += buffer.shape.reduce((n, d) => n * (asInt(d) ?? 1), dtypeBytes(buffer.dtype));
  return bytes;
}

/** Notes the programs as fusion leaves them, and the order in which the model calls them. */
function observer(): { readonly instrument: PassInstrument; programs(): ReadonlyMap<string, PrimFunc>; calls(): readonly string[] } {
  const programs = new Map<string, PrimFunc>();
  let calls: readonly string[] = [];
  const runAfter: NonNullable<PassInstrument["runAfter"]> = (pass, module) => {
    if (pass.name === "FuseTIR") for (const [gv, f] of module.functions) if (isPrimFunc(f)) programs.set(gv.name, f);
    if (pass.name === "LowerStaticMain") calls = statements(module).map(calleeName);
  };
  return { instrument: { name: "profile", runAfter }, programs: () => programs, calls: () => calls };
}

function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

function mainOf(module: IRModule): PrimFunc {
  const main = lookupFunc(module, "main");
  if (isPrimFunc(main)) return main;
  throw new TypeError("`main` was not lowered to a static program.");
}

/** The calls of a static program, in order. */
function statements(module: IRModule): readonly Stmt[] {
  const { body } = mainOf(module);
  return body.kind === "tir.SeqStmt" ? body.seq : [body];
}

function calleeName(stmt: Stmt): string {
  const call = stmt.kind === "tir.Evaluate" ? stmt.value : undefined;
  return call?.kind === "tir.Call" && call.op.kind === "ir.GlobalVar" ? call.op.name : "main";
}

interface OpenCalls {
  readonly calls: readonly { readonly name: string; run(): void }[];
  /** Puts the inputs in place, which a run may overwrite. */
  prepare(): void;
}

/** The module with each call of `main` exported on its own, in memory with the constants in place. */
async function openCalls(module: IRModule, target: WasmTarget): Promise<OpenCalls> {
  const main = mainOf(module);
  const steps = statements(module);
  const functions = new Map<GlobalVar, BaseFunc>([...module.functions].filter(([gv]) => gv.name !== "main"));
  for (const [i, body] of steps.entries()) {
    const step: PrimFunc = { ...main, body, attrs: { global_symbol: `call_${i}` } };
    functions.set(makeGlobalVar(`call_${i}`), step);
  }
  const { bytes, reservedBytes } = buildWasm(withFunctions(module, functions), { ...target, threads: 1 });
  const base = Math.ceil(reservedBytes / 64) * 64;
  const [arena, params] = [Number(main.attrs["arena_bytes"]), Number(main.attrs["params_bytes"])];
  const memory = new WebAssembly.Memory({ initial: Math.ceil((base + arena + params) / 65536) + 1 });
  for (const { offset, data } of constantsOf(module, main.attrs)) {
    new Uint8Array(memory.buffer, base + arena + offset, data.data.byteLength).set(tensorBytes(data));
  }
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes), { env: { memory } });
  const inputs = valueSpecs(main.attrs["inputs"]).map((v, i) => ({
    at: new Uint8Array(memory.buffer, base + v.offset, elementCount(v.shape) * dtypeBytes(v.dtype)),
    bytes: tensorBytes(randomTensor(v, i + 1)),
  }));
  const calls = steps.map((stmt, i) => {
    const call = exports[`call_${i}`] as (arena: number, params: number) => void;
    return { name: calleeName(stmt), run: () => call(base, base + arena) };
  });
  return { calls, prepare: () => inputs.forEach(({ at, bytes: given }) => at.set(given)) };
}
