import type { BaseFunc, GlobalVar, IRModule, WasmTarget } from "@verticil/ir-core";
import { poolLayout, tensorBytes, type DType } from "@verticil/runtime-ffi";
import { visitStmt, type AllocateConst, type Call, type PrimFunc } from "@verticil/tir";
import type { Callee } from "./codegen/context.ts";
import { compileFunction, paramTypes, resultType, type CompiledFunc, type FuncEnvironment } from "./codegen/function.ts";
import type { ParallelBody, ParallelSites } from "./codegen/parallel.ts";
import { forkFunction, rangeFunction, rangeSignature, workerFunction, workFunction } from "./codegen/pool-functions.ts";
import { wasmTypeOf } from "./codegen/lanes.ts";
import { unsupported } from "./codegen/unsupported.ts";
import { ModuleBuilder, type FuncSignature } from "./encoder/module-builder.ts";
import type { WasmType } from "./encoder/opcodes.ts";
import { wasmSourceMap } from "./encoder/source-map.ts";

/** How the code is generated, beyond what the target can do. */
export interface BuildWasmOptions {
  /** Whether failing `assert` statements trap; true unless told. */
  readonly assertions?: boolean;
  /** Whether each access of a buffer of known size is checked, for debugging; false unless told. */
  readonly boundsChecks?: boolean;
  /**
   * Whether parallel loops whose body is a call can be shared with workers, where the host sets them up; false unless
   * told. The memory is imported with a maximum then, and one byte of the module says that it is not shared.
   */
  readonly threads?: boolean;
  /** The module's name in the name section. */
  readonly name?: string;
  /** The address of a source map: makes one, from the spans of the statements, and tells debuggers where it is. */
  readonly sourceMappingUrl?: string;
}

/** A function that a host can call. Pointers are byte addresses. */
export interface WasmExport {
  readonly name: string;
  readonly params: readonly { readonly name: string; readonly dtype: DType }[];
  readonly result: DType | undefined;
}

/** A finished module. */
export interface WasmBuild {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** From addresses in the module to places in the programs, as JSON; only if an address for it was given. */
  readonly sourceMap?: string;
  readonly exports: readonly WasmExport[];
  /** The module keeps memory below this address for constants and its shadow stack: put everything else above. */
  readonly reservedBytes: number;
  /** What workers need that share the memory; undefined for a module without parallel loops. */
  readonly threads?: WasmThreads;
}

/** What a module needs to be run by several threads. */
export interface WasmThreads {
  /** The address of the pool, where threads meet: see `poolLayout`. */
  readonly pool: number;
  /** Bytes of shadow stack: each worker calls the exported `__worker` with the end of a stack of its own, and stays there. */
  readonly stack: number;
}

const PAGE = 65536;
/** Nothing is kept at the lowest addresses, so that a null pointer is recognisable. */
const FIRST_ADDRESS = 64;
/** The most that a memory can have. */
const MAX_PAGES = 65536;
/** Room on the shadow stack for memory whose size is known at run time only. */
const DYNAMIC_STACK = 2 ** 20;

/**
 * Generates a WebAssembly module: every PrimFunc of `module` as a function, those with a `global_symbol` exported under
 * that name. It imports `env.memory`. The same module gives the same bytes.
 * @throws DiagnosticError where a function holds something that has no WebAssembly.
 */
export function buildWasm(module: IRModule, target: WasmTarget, opts: BuildWasmOptions = {}): WasmBuild {
  const build = beginBuild(module, target, opts);
  return assemble(build, compileAll(build, target.simd === "relaxed"));
}

/** A module for every engine with SIMD, and one for those with relaxed SIMD if that is another. */
export interface WasmVariants {
  readonly plain: WasmBuild;
  readonly relaxed: WasmBuild | undefined;
}

/**
 * Like `buildWasm` for a target with and without relaxed SIMD. What relaxed SIMD has nothing for is compiled once.
 * @throws DiagnosticError where a function holds something that has no WebAssembly.
 */
export function buildWasmVariants(module: IRModule, target: WasmTarget, opts: BuildWasmOptions = {}): WasmVariants {
  const build = beginBuild(module, target, opts);
  const plain = compileAll(build, false);
  const first = assemble(build, plain);
  if (target.simd === "none" || !plain.some((f) => f.code.canRelax)) return { plain: first, relaxed: undefined };
  const second = assemble(build, compileAll(build, true, plain));
  const same = second.bytes.length === first.bytes.length && second.bytes.every((byte, i) => byte === first.bytes[i]);
  return { plain: first, relaxed: same ? undefined : second };
}

/** What the variants of a module share. */
interface Build {
  readonly opts: BuildWasmOptions;
  readonly target: WasmTarget;
  readonly funcs: readonly ScannedFunc[];
  readonly callees: ReadonlyMap<GlobalVar, Callee>;
  readonly externs: ReadonlyMap<string, Extern>;
  readonly bodies: ParallelBodies | undefined;
  readonly data: DataSegments;
}

/** A function with what it calls. */
interface ScannedFunc {
  readonly gv: GlobalVar;
  readonly func: PrimFunc;
  readonly calls: readonly Call[];
  readonly hasParallel: boolean;
}

/** A function that the host gives. */
interface Extern extends Callee {
  readonly signature: FuncSignature;
}

/** A function with its code. */
interface BuiltFunc extends ScannedFunc {
  readonly code: CompiledFunc;
}

/** Where every module keeps its stack pointer. */
const STACK_POINTER = 0;

function beginBuild(module: IRModule, target: WasmTarget, opts: BuildWasmOptions): Build {
  const funcs = [...module.functions].flatMap(([gv, func]) => (isPrimFunc(func) ? [scan(gv, func)] : []));
  const externs = externsOf(funcs);
  const callees = new Map<GlobalVar, Callee>();
  for (const [i, { gv, func }] of funcs.entries()) callees.set(gv, { index: externs.size + i, params: paramTypes(func), result: resultType(func) });
  const bodies = opts.threads === true ? new ParallelBodies(externs.size + funcs.length, withParallelLoops(funcs)) : undefined;
  const data = new DataSegments(FIRST_ADDRESS + (bodies === undefined ? 0 : poolLayout.bytes));
  return { opts, target, funcs, callees, externs, bodies, data };
}

/** The code of all functions; that of `known` which is the same with relaxed SIMD is taken over. */
function compileAll({ opts, target, funcs, callees, externs, bodies, data }: Build, relaxed: boolean, known: readonly BuiltFunc[] = []): readonly BuiltFunc[] {
  const env: FuncEnvironment = {
    simd: target.simd !== "none",
    relaxed,
    checks: { assertions: opts.assertions ?? true, bounds: opts.boundsChecks ?? false },
    keepSpans: opts.sourceMappingUrl !== undefined,
    stackPointer: STACK_POINTER,
    calleeOf: (gv) => callees.get(gv) ?? unsupported(`the unknown function \`${gv.name}\``, "Add it to the module.", gv.span),
    extern: (name) => externs.get(name) ?? unsupported(`the external function \`${name}\``, "It was not declared."),
    constantData: (stmt) => data.add(stmt),
    parallel: bodies,
  };
  return funcs.map((f, i) => {
    const before = known[i];
    return before === undefined || before.code.canRelax ? { ...f, code: compileFunction(f.gv.name, f.func, env) } : before;
  });
}

function assemble({ opts, externs, bodies, data }: Build, funcs: readonly BuiltFunc[]): WasmBuild {
  const builder = new ModuleBuilder(opts.name ?? "verticil");
  for (const [name, { signature }] of externs) builder.importFunc("env", name, signature);
  const stackBytes = stackSize(funcs);
  const stackStart = Math.ceil(data.end / 64) * 64;
  const reservedBytes = stackStart + stackBytes;
  builder.global("__stack_pointer", reservedBytes);
  const exports: WasmExport[] = [];
  for (const { func, code } of funcs) {
    const index = builder.func(code.body);
    const symbol = func.attrs["global_symbol"];
    if (typeof symbol !== "string") continue;
    builder.exportFunc(symbol, index);
    exports.push({ name: symbol, params: func.params.map((p) => ({ name: p.name, dtype: p.dtype })), result: resultType(func) });
  }
  const min = Math.max(1, Math.ceil(reservedBytes / PAGE));
  const threaded = bodies?.write(builder, STACK_POINTER) === true;
  builder.memory(threaded ? { min, max: MAX_PAGES } : { min });
  for (const segment of data.segments) builder.data(segment.offset, segment.bytes);
  if (opts.sourceMappingUrl !== undefined) builder.sourceMappingUrl(opts.sourceMappingUrl);
  const out = builder.finish();
  const sourceMap = opts.sourceMappingUrl === undefined ? {} : { sourceMap: wasmSourceMap(out.marks) };
  const threads = threaded ? { threads: { pool: FIRST_ADDRESS, stack: Math.ceil(stackBytes / 64) * 64 } } : {};
  return { bytes: out.toBytes(), ...sourceMap, exports, reservedBytes, ...threads };
}

function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

/** A function with what there is to know of it before code is made: one walk for all questions. */
function scan(gv: GlobalVar, func: PrimFunc): ScannedFunc {
  const calls: Call[] = [];
  let hasParallel = false;
  visitStmt(func.body, {
    expr(e) {
      if (e.kind === "tir.Call") calls.push(e);
    },
    stmt(s) {
      if (s.kind === "tir.For" && s.forKind === "parallel") hasParallel = true;
    },
  });
  return { gv, func, calls, hasParallel };
}

/** The functions that have parallel loops, or call functions that have. */
function withParallelLoops(funcs: readonly ScannedFunc[]): ReadonlySet<GlobalVar> {
  const out = new Set(funcs.filter((f) => f.hasParallel).map((f) => f.gv));
  for (let before = -1; before < out.size; ) {
    before = out.size;
    for (const { gv, calls } of funcs) if (calls.some((c) => c.op.kind === "ir.GlobalVar" && out.has(c.op))) out.add(gv);
  }
  return out;
}

function externsOf(funcs: readonly ScannedFunc[]): ReadonlyMap<string, Extern> {
  const externs = new Map<string, Extern>();
  for (const call of funcs.flatMap((f) => f.calls)) {
    const [name, ...args] = call.args;
    if (!/^tir\.call_(pure_)?extern$/.test(call.op.name) || name?.kind !== "tir.StringImm" || externs.has(name.value)) continue;
    const params = args.map((a): WasmType => wasmTypeOf(a.dtype));
    const result = call.dtype === "void" ? undefined : call.dtype;
    externs.set(name.value, { index: externs.size, params, result, signature: { params, results: result === undefined ? [] : [wasmTypeOf(result)] } });
  }
  return externs;
}

/** Bytes of shadow stack for the deepest chain of calls. @throws DiagnosticError for functions that call themselves. */
function stackSize(funcs: readonly BuiltFunc[]): number {
  const known = new Map<GlobalVar, number | "open">();
  const byVar = new Map(funcs.map((f) => [f.gv, f]));
  const depth = (gv: GlobalVar): number => {
    const before = known.get(gv);
    if (before === "open") return unsupported(`the recursive function \`${gv.name}\``, "Use a loop.", gv.span);
    if (before !== undefined) return before;
    known.set(gv, "open");
    const func = byVar.get(gv);
    let deepest = 0;
    for (const call of func?.calls ?? []) {
      if (call.op.kind === "ir.GlobalVar") deepest = Math.max(deepest, depth(call.op));
    }
    const own = (func?.code.frameBytes ?? 0) + (func?.code.dynamicStack === true ? DYNAMIC_STACK : 0);
    known.set(gv, deepest + own);
    return deepest + own;
  };
  return funcs.reduce((most, { gv }) => Math.max(most, depth(gv)), 0);
}

/** The bodies of parallel loops, and the functions that run them: `fork`, `work`, `worker`, and one for each body. */
class ParallelBodies implements ParallelSites {
  readonly pool = FIRST_ADDRESS;
  readonly fork: number;
  readonly #nested: ReadonlySet<GlobalVar>;
  readonly #bodies: ParallelBody[] = [];

  constructor(nextIndex: number, nested: ReadonlySet<GlobalVar>) {
    this.fork = nextIndex;
    this.#nested = nested;
  }

  readonly isNested = (gv: GlobalVar): boolean => this.#nested.has(gv);

  readonly numberOf = (body: ParallelBody): number => {
    const known = this.#bodies.findIndex((b) => b.callee.index === body.callee.index && b.position === body.position);
    return known >= 0 ? known : this.#bodies.push(body) - 1;
  };

  /** Adds the functions behind all others; false, and nothing is added, if there is no parallel loop. */
  write(builder: ModuleBuilder, stackPointer: number): boolean {
    if (this.#bodies.length === 0) return false;
    const work = this.fork + 1;
    const rangeType = builder.type(rangeSignature);
    builder.func(forkFunction(this.pool, work, rangeType));
    builder.func(workFunction(this.pool, rangeType));
    builder.exportFunc("__worker", builder.func(workerFunction(this.pool, work, stackPointer)));
    builder.table(this.#bodies.map((body, i) => builder.func(rangeFunction(this.pool, body, i))));
    return true;
  }
}

/** Constant memory, one segment for each constant. */
class DataSegments {
  readonly segments: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  end: number;
  readonly #offsets = new Map<AllocateConst, number>();

  constructor(start: number) {
    this.end = start;
  }

  /** The offset of a constant, which is put down once however often it is asked for. */
  add(stmt: AllocateConst): number {
    const known = this.#offsets.get(stmt);
    if (known !== undefined) return known;
    const offset = Math.ceil(this.end / 64) * 64;
    const bytes = tensorBytes(stmt.data);
    this.segments.push({ offset, bytes });
    this.end = offset + bytes.length;
    this.#offsets.set(stmt, offset);
    return offset;
  }
}
