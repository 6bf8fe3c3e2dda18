import { definePass, Diagnostics, makeTupleType, mapFunctions, throwIfErrors, withAttrs, type AttrMap, type GlobalVar, type IRModule, type Pass, type Reporter } from "@verticil/ir-core";
import { dtypeBytes, lanesOf, scalarOf } from "@verticil/runtime-ffi";
import type { AnyVar, Call, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeCall, makeStringImm } from "../ir/make-expr.ts";
import { makeEvaluate } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, isConstInt, mul } from "../ir/ops.ts";
import { intrinOp } from "../ir/intrin.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { requireTarget } from "./annotate-device-regions.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { withBody } from "./prim-func-pass.ts";
import { deviceType, hostOf, targetOf, withoutHost } from "./target-attr.ts";

/** The launch parameter that holds the size of dynamic shared memory in bytes. */
const DYNAMIC_MEMORY = "tir.use_dyn_shared_memory";

/**
 * Calls of functions of another device become launches: a packed call by name with the arguments, then what the kernel
 * is launched with, its thread extents in order of appearance and the bytes of dynamic shared memory. The kernel says
 * in `tir.kernel_launch_params` what those are. Calls of another target of the same device become external calls
 * (upstream's `LowerDeviceKernelLaunch`).
 * @throws DiagnosticError if a function has no target, or a kernel cannot be launched.
 */
export function lowerDeviceKernelLaunch(): Pass {
  return definePass("LowerDeviceKernelLaunch", lowerModule);
}

/** What is known of a function as a kernel. */
interface Kernel {
  /** Where it runs: on the host, if it is called from outside, has one, and no threads of its own. */
  readonly target: AttrMap;
  readonly symbol: string;
  readonly params: readonly Var[];
  readonly launch: ReadonlyMap<string, PrimExpr>;
}

function lowerModule(module: IRModule): IRModule {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  const kernels = new Map<GlobalVar, Kernel>();
  for (const [gv, f] of module.functions) if (f.kind === "tir.PrimFunc") kernels.set(gv, kernelOf(gv, f as PrimFunc, report));
  const launched = new Set<GlobalVar>();
  const external = new Set<GlobalVar>();
  const called = mapFunctions(module, (f, gv) => {
    const caller = kernels.get(gv);
    if (f.kind !== "tir.PrimFunc" || caller === undefined) return f;
    const func = f as PrimFunc;
    const mapper: ChildMapper = {
      stmt: (s) => mapStmtChildren(s, mapper),
      expr(e) {
        const mapped = mapExprChildren(e, mapper);
        if (mapped.kind !== "tir.Call" || mapped.op.kind !== "ir.GlobalVar") return mapped;
        return lowerCall(mapped, mapped.op, caller, kernels, { launched, external, report });
      },
    };
    const lowered = withBody(func, mapper.stmt(func.body));
    return hostOf(targetOf(func) ?? {}) === undefined || lowered === func ? lowered : withAttrs(lowered, { target: caller.target });
  });
  for (const gv of launched) if (external.has(gv)) report("kernel-launch", { kernel: gv.name, why: "it is also called from another target of its own device" });
  throwIfErrors(diagnostics);
  const lowered = mapFunctions(called, (f, gv) => {
    const kernel = kernels.get(gv);
    if (f.kind !== "tir.PrimFunc" || kernel === undefined) return f;
    if (launched.has(gv)) return asKernel(f as PrimFunc, kernel, report);
    if (!external.has(gv)) return f;
    return withAttrs(f, { "tir.is_global_func": true, global_symbol: f.attrs["global_symbol"] ?? gv.name });
  });
  throwIfErrors(diagnostics);
  return lowered;
}

type Report = Reporter<typeof transformDiagnostics>;

function kernelOf(gv: GlobalVar, func: PrimFunc, report: Report): Kernel {
  const whole = requireTarget(func, "LowerDeviceKernelLaunch");
  const symbol = func.attrs["global_symbol"];
  const launch = new Map<string, PrimExpr>();
  let dynamic: PrimExpr | undefined;
  visitStmt(func.body, {
    expr: () => "skip",
    stmt(s) {
      if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
        const tag = (s.node as IterVar).threadTag;
        if (!launch.has(tag)) launch.set(tag, s.value);
      }
      const type = s.kind === "tir.Allocate" ? s.bufferVar.typeAnnotation : undefined;
      if (s.kind === "tir.Allocate" && type?.kind === "ir.PointerType" && type.storageScope === "shared.dyn") {
        if (dynamic !== undefined) report("kernel-launch", { kernel: gv.name, why: "it allocates dynamic shared memory more than once" }, s.span);
        dynamic = mul(s.extents.reduce<PrimExpr>((n, e) => mul(n, e), constant(1, "int32")), dtypeBytes(scalarOf(s.dtype)) * lanesOf(s.dtype));
      }
      return undefined;
    },
  });
  if (dynamic !== undefined) launch.set(DYNAMIC_MEMORY, dynamic);
  const target = typeof symbol === "string" && launch.size === 0 ? (hostOf(whole) ?? withoutHost(whole)) : withoutHost(whole);
  return { target, symbol: typeof symbol === "string" ? symbol : gv.name, params: func.params, launch };
}

interface Outcome {
  readonly launched: Set<GlobalVar>;
  readonly external: Set<GlobalVar>;
  readonly report: Report;
}

function lowerCall(call: Call, callee: GlobalVar, caller: Kernel, kernels: ReadonlyMap<GlobalVar, Kernel>, out: Outcome): PrimExpr {
  const kernel = kernels.get(callee);
  if (kernel === undefined || sameTarget(caller.target, kernel.target)) return call;
  if (deviceType(caller.target) === deviceType(kernel.target)) {
    out.external.add(callee);
    return makeCall(call.dtype, intrinOp("call_extern"), [makeStringImm(callee.name), ...call.args], call.span);
  }
  if (call.args.length !== kernel.params.length) {
    out.report("kernel-launch", { kernel: callee.name, why: `it takes ${kernel.params.length} arguments and is given ${call.args.length}` }, call.span);
    return call;
  }
  out.launched.add(callee);
  const values = new Map<AnyVar, PrimExpr>(kernel.params.map((p, i) => [p, call.args[i] ?? p]));
  const launch = [...kernel.launch.values()].map((e) => substitute(e, values));
  const dtype = call.dtype === "void" ? "int32" : call.dtype;
  return makeCall(dtype, intrinOp("tvm_call_packed"), [makeStringImm(kernel.symbol), ...call.args, ...launch], call.span);
}


function sameTarget(a: AttrMap, b: AttrMap): boolean {
  const text = (t: AttrMap): string => JSON.stringify(Object.entries(t).sort(([x], [y]) => (x < y ? -1 : 1)));
  return text(a) === text(b);
}

function asKernel(func: PrimFunc, kernel: Kernel, report: Report): PrimFunc {
  const body = withoutReturn(func.body, kernel, report);
  return withAttrs({ ...func, retType: makeTupleType([]), body }, {
    "tir.is_global_func": true,
    calling_conv: 2,
    "tir.kernel_launch_params": [...kernel.launch.keys()],
    global_symbol: kernel.symbol,
  });
}

/** A launch gives no value: the return of success goes. */
function withoutReturn(body: Stmt, kernel: Kernel, report: Report): Stmt {
  const mapper: ChildMapper = {
    expr: (e) => e,
    stmt(s) {
      if (s.kind !== "tir.Evaluate" || s.value.kind !== "tir.Call" || s.value.op.kind !== "ir.Op" || s.value.op.name !== "tir.ret") return mapStmtChildren(s, mapper);
      const [value] = s.value.args;
      if (value === undefined || !isConstInt(value, 0)) report("kernel-launch", { kernel: kernel.symbol, why: "it returns something else than success, `T.ret(0)`" }, s.span);
      return makeEvaluate(constant(0, "int32"));
    },
  };
  return mapper.stmt(body);
}
