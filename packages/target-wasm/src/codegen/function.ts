import type { GlobalVar } from "@verticil/ir-core";
import { lanesOf, parseDType, type DType } from "@verticil/runtime-ffi";
import type { AllocateConst, PrimExpr, PrimFunc, Var } from "@verticil/tir";
import type { FuncBody } from "../encoder/module-builder.ts";
import type { WasmType } from "../encoder/opcodes.ts";
import type { Callee, CheckOptions } from "./context.ts";
import { emitFunction } from "./emit.ts";
import { Epochs } from "./epochs.ts";
import { exprTyped } from "./expr.ts";
import { Graph } from "./graph.ts";
import { scalarTyped, wasmTypeOf } from "./lanes.ts";
import { termLinear } from "./linear.ts";
import { rememberEffects } from "./loops.ts";
import type { ParallelSites } from "./parallel.ts";
import { codeStmt, type StmtContext } from "./stmt.ts";
import { unsupported } from "./unsupported.ts";
import type { Interval } from "./value.ts";

/** What a function's code needs from its module. */
export interface FuncEnvironment {
  readonly simd: boolean;
  readonly relaxed: boolean;
  readonly checks: CheckOptions;
  /** Whether code says which place of the program it comes from. */
  readonly keepSpans: boolean;
  readonly stackPointer: number;
  readonly calleeOf: (gv: GlobalVar) => Callee;
  readonly extern: (name: string, params: readonly WasmType[], result: DType | undefined) => Callee;
  readonly constantData: (stmt: AllocateConst) => number;
  readonly parallel: ParallelSites | undefined;
}

/** A function's code, and what it takes of the shadow stack. */
export interface CompiledFunc {
  readonly body: FuncBody;
  readonly frameBytes: number;
  /** True if it also takes memory whose size is known at run time only. */
  readonly dynamicStack: boolean;
  /** True if the code with relaxed SIMD may be another: there are sums with products, in vectors. */
  readonly canRelax: boolean;
}

/** The types of a function's parameters. @throws DiagnosticError for parameters that have none. */
export function paramTypes(func: PrimFunc): readonly WasmType[] {
  return func.params.map((p) => {
    if (lanesOf(p.dtype) !== 1) unsupported(`a parameter of type ${p.dtype}`, "Pass vectors through memory.", p.span);
    return wasmTypeOf(p.dtype);
  });
}

/** The type of what a function returns, or undefined. */
export function resultType(func: PrimFunc): DType | undefined {
  return func.retType.kind === "ir.PrimType" && func.retType.dtype !== "void" ? func.retType.dtype : undefined;
}

/** Generates the code of one function. */
export function compileFunction(name: string, func: PrimFunc, env: FuncEnvironment): CompiledFunc {
  const graph = new Graph({ simd: env.simd, relaxed: env.relaxed });
  let frameBytes = 0;
  let dynamicStack = false;
  const cx: StmtContext = {
    graph,
    checks: env.checks,
    keepSpans: env.keepSpans,
    env: new Map(),
    storage: new Map(),
    epochs: new Epochs(graph),
    expr: (e: PrimExpr) => exprTyped(cx, e),
    calleeOf: env.calleeOf,
    extern: env.extern,
    reserve: (bytes) => {
      frameBytes += bytes;
      return frameBytes - bytes;
    },
    constantData: env.constantData,
    effectsOf: rememberEffects(),
    parallel: env.parallel,
    stackPointer: () => {
      dynamicStack = true;
      return graph.stackPointer();
    },
  };
  bindParams(cx, func);
  codeStmt(cx, func.body);
  const result = resultType(func);
  const params = paramTypes(func);
  const { code, locals } = emitFunction(graph, { params, frameBytes, stackPointer: env.stackPointer });
  // Where the body always returns early, what follows is never reached, but has to be well-typed.
  if (result !== undefined) code.unreachable();
  const body: FuncBody = {
    name,
    signature: { params, results: result === undefined ? [] : [wasmTypeOf(result)] },
    locals,
    code: code.out,
    localNames: new Map(func.params.map((p, i) => [i, p.name])),
  };
  return { body, frameBytes, dynamicStack, canRelax: graph.canRelax };
}

function bindParams(cx: StmtContext, func: PrimFunc): void {
  const { graph } = cx;
  // Unless a function says otherwise its pointers do not overlap.
  const shared = func.attrs["tir.noalias"] === false ? {} : undefined;
  const ranges = paramRanges(func);
  for (const [i, p] of func.params.entries()) {
    const value = graph.param(i, wasmTypeOf(p.dtype), ranges.get(p));
    const isIndex = value.type === "i32" && parseDType(p.dtype).bits === 32;
    cx.env.set(p, { linear: isIndex ? termLinear(value) : undefined, typed: () => scalarTyped(p.dtype, value) });
    if (p.dtype !== "handle") continue;
    const storage = { kind: "memory", base: value, token: shared ?? p } as const;
    cx.storage.set(p, storage);
    const buffer = func.bufferMap.get(p);
    if (buffer !== undefined) {
      cx.storage.set(buffer.data, storage);
      cx.env.set(buffer.data, { linear: undefined, typed: () => scalarTyped("handle", value) });
    }
  }
  for (const v of freeShapeVars(func)) unsupported(`the size \`${v.name}\` that no parameter gives`, "Pass it as a scalar parameter.", v.span);
}

/** What the last parameters lie in, where the attribute `param_ranges` says it. */
function paramRanges(func: PrimFunc): ReadonlyMap<Var, Interval> {
  const list = func.attrs["param_ranges"];
  const out = new Map<Var, Interval>();
  if (!Array.isArray(list)) return out;
  const first = func.params.length - list.length;
  for (const [i, range] of list.entries()) {
    const p = func.params[first + i];
    const [lo, hi] = Array.isArray(range) ? range.map(Number) : [];
    if (p !== undefined && lo !== undefined && hi !== undefined) out.set(p, { lo, hi });
  }
  return out;
}

/** Sizes in buffers of parameters that are not parameters themselves. */
function freeShapeVars(func: PrimFunc): readonly Var[] {
  const params = new Set<unknown>(func.params);
  const free: Var[] = [];
  for (const buffer of func.bufferMap.values()) {
    for (const e of buffer.shape) if (e.kind === "tir.Var" && !params.has(e)) free.push(e);
  }
  return free;
}

