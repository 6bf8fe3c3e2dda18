import type { Diagnostics, WebgpuTarget } from "@verticil/ir-core";
import { parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import { Analyzer, asInt, constant, makeRange, type Var } from "@verticil/tir";
import { webgpuDiagnostics } from "../diagnostics.ts";
import type { Launch } from "../host/launches.ts";
import { accessesOf, allocatedIn, baseOf, type Access } from "./accesses.ts";
import { CodeWriter } from "./code-writer.ts";
import { emitExpr } from "./expr.ts";
import { helperFunctions } from "./helper-functions.ts";
import type { KernelContext } from "./kernel-context.ts";
import { Names } from "./names.ts";
import { emitStmt, type StmtContext } from "./stmt.ts";
import type { BoundStorage } from "./storage.ts";
import { computeScalar, wgslType } from "./wgsl-type.ts";

/** Memory that a launch reaches through a pointer. */
export interface PointerUse {
  readonly pointer: Var;
  readonly name: string;
  readonly written: boolean;
  /** Bytes that it may reach, from the shapes of the buffers behind it. */
  readonly bytes: number;
  readonly accesses: readonly Access[];
}

/** A buffer to bind: the pointers that lead to it, and whether the kernel may write it. */
export interface BindingPlan {
  readonly pointers: readonly PointerUse[];
  readonly access: "read" | "write";
}

/** A kernel as WGSL, whose entry point is `main` and whose buffers are bound in order in group 0. */
export interface Kernel {
  readonly code: string;
  /** Bytes that the threads of a workgroup share. */
  readonly sharedBytes: number;
}

/** The memory that a launch reaches from outside, in order of appearance. */
export function pointerUses(launch: Launch): readonly PointerUse[] {
  const inner = allocatedIn(launch.body);
  const out: PointerUse[] = [];
  for (const [pointer, accesses] of accessesOf(launch.body)) {
    if (pointer.kind !== "tir.Var" || inner.has(pointer)) continue;
    const bytes = accesses.reduce((most, { buffer }) => Math.max(most, buffer.shape.reduce((n, d) => n * (asInt(d) ?? NaN), Math.max(1, parseDType(scalarOf(buffer.dtype)).bits / 8))), 0);
    out.push({ pointer, name: accesses[0]?.buffer.name ?? pointer.name, written: accesses.some((a) => a.store), bytes, accesses });
  }
  return out;
}

/** The WGSL of a launch with the given bindings. What it has none for is reported. */
export function generateKernel(launch: Launch, bindings: readonly BindingPlan[], target: WebgpuTarget, diagnostics: Diagnostics): Kernel {
  const body = new CodeWriter();
  const globals: string[] = [];
  let sharedBytes = 0;
  const cx: StmtContext = {
    kernel: launch.name,
    features: new Set(target.features),
    code: body,
    names: new Names(),
    analyzer: new Analyzer(),
    vars: new Map(),
    storage: new Map(),
    helpers: new Set(),
    globals,
    diagnostics,
    report: diagnostics.reporter("target-webgpu", webgpuDiagnostics),
    accesses: accessesOf(launch.body),
    share: (bytes) => void (sharedBytes += bytes),
    expr: (e) => emitExpr(cx, e),
  };
  bindThreads(cx, launch);
  const declared = bindings.map((b, i) => declareBinding(cx, b, i));
  const [x, y, z] = launch.group;
  body.block("@compute @workgroup_size(" + `${x}, ${y}, ${z}` + ")\nfn main(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>)", () => {
    for (const [v, tag] of launch.threads) {
      const name = cx.vars.get(v);
      if (name !== undefined) body.line(`let ${name} = i32(${tag.replace("blockIdx", "block").replace("threadIdx", "thread")});`);
    }
    emitStmt(cx, launch.body);
  });
  const features = cx.features.has("shader-f16") && /\bf16\b/.test(`${declared.join("")}${globals.join("")}${body.toString()}`) ? ["enable f16;"] : [];
  const helpers = [...cx.helpers].sort().map((name) => helperFunctions.get(name) ?? "");
  return { code: [...features, ...declared, ...globals, ...helpers, body.toString(), ""].join("\n"), sharedBytes };
}

function bindThreads(cx: KernelContext, launch: Launch): void {
  const sizes: Readonly<Record<string, readonly number[]>> = { blockIdx: launch.grid, threadIdx: launch.group };
  for (const [v, tag] of launch.threads) {
    const [kind = "", axis = "x"] = tag.split(".");
    const extent = sizes[kind]?.["xyz".indexOf(axis)] ?? 1;
    cx.analyzer.bind(v, makeRange(constant(0, v.dtype), constant(extent, v.dtype)), { override: true });
    cx.vars.set(v, cx.names.fresh("v", v.name));
  }
}

function declareBinding(cx: KernelContext, plan: BindingPlan, index: number): string {
  const name = cx.names.fresh("b", plan.pointers[0]?.name ?? "buffer");
  const storage = bindingStorage(cx, plan, name);
  for (const p of plan.pointers) cx.storage.set(p.pointer, storage);
  const element = storage.form === "vectors" ? wgslType(storage.element, 4) : storage.atomic ? "atomic<u32>" : storage.element;
  const access = plan.access === "write" || storage.atomic ? "read_write" : "read";
  return `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<${element}>;`;
}

function bindingStorage(cx: KernelContext, plan: BindingPlan, name: string): BoundStorage {
  const accesses = plan.pointers.flatMap((p) => p.accesses);
  const buffers = [...new Map(accesses.map((a) => [scalarOf(a.buffer.dtype), a.buffer])).values()];
  const [first] = buffers;
  const dtype: DType = first === undefined ? "float32" : first.dtype;
  const { code, bits } = parseDType(scalarOf(dtype));
  const scalar = computeScalar(dtype);
  const whole: BoundStorage = { kind: "bound", name, form: "scalars", element: scalar ?? "f32", bits: 32, atomic: false };
  const mixed = buffers.some((b) => parseDType(scalarOf(b.dtype)).bits !== bits);
  if (scalar === undefined || bits < 8 || mixed || code === "float8" || code === "bfloat") {
    for (const b of buffers) {
      if (mixed || computeScalar(b.dtype) === undefined || bits < 8) cx.report("unsupported-storage", { buffer: b.name, dtype: b.dtype }, b.span);
    }
    return whole;
  }
  if (bits < 32 && !(scalar === "f16" && cx.features.has("shader-f16"))) {
    return { ...whole, form: "words", element: "u32", bits, atomic: accesses.some((a) => a.store) };
  }
  return bits === 32 && accesses.every((a) => isVector(cx, a)) ? { ...whole, form: "vectors" } : whole;
}

/** True if an access takes four neighbours that begin at a multiple of four. */
function isVector(cx: KernelContext, { index, lanes }: Access): boolean {
  const base = baseOf(index);
  if (lanes !== 4 || base === undefined) return false;
  const { coeff, base: rest } = cx.analyzer.modularSet(base);
  return Number(coeff) % 4 === 0 && Number(rest) % 4 === 0;
}
