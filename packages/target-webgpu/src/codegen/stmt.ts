import { assertNever } from "@verticil/ir-core";
import { getElement } from "@verticil/runtime-ffi";
import { add, asInt, makeRange, not, type Allocate, type AllocateConst, type AnyVar, type Evaluate, type For, type Stmt } from "@verticil/tir";
import { cellLanes, type Access } from "./accesses.ts";
import { unsupported, type KernelContext } from "./kernel-context.ts";
import { storeElements } from "./memory.ts";
import { computeScalar, wgslType, wgslTypeOf, type WgslScalar } from "./wgsl-type.ts";

/** A local array of up to this many elements becomes variables, if its indices are constants. */
const MAX_CELLS = 256;
/** The most elements of constants that are written into a kernel. */
const MAX_CONSTANTS = 4096;

/** What the statements of a kernel need beside its context. */
export interface StmtContext extends KernelContext {
  readonly accesses: ReadonlyMap<AnyVar, readonly Access[]>;
  /** Notes bytes that the threads of a workgroup share. */
  readonly share: (bytes: number) => void;
}

/** Writes the WGSL of a statement. */
export function emitStmt(cx: StmtContext, s: Stmt): void {
  switch (s.kind) {
    case "tir.SeqStmt":
      for (const item of s.seq) emitStmt(cx, item);
      return;
    case "tir.BufferStore":
      storeElements(cx, s);
      return;
    case "tir.For":
      emitFor(cx, s);
      return;
    case "tir.IfThenElse":
      emitIf(cx, s.condition, () => emitStmt(cx, s.thenCase), s.elseCase);
      return;
    case "tir.LetStmt": {
      const name = cx.names.fresh("v", s.bind.name);
      cx.code.line(`let ${name} = ${cx.expr(s.value)};`);
      cx.vars.set(s.bind, name);
      cx.analyzer.bind(s.bind, s.value, { override: true });
      emitStmt(cx, s.body);
      return;
    }
    case "tir.While":
      cx.code.block("loop", () => {
        cx.code.line(`if (${cx.expr(not(s.condition))}) { break; }`);
        emitStmt(cx, s.body);
      });
      return;
    case "tir.Allocate":
      allocate(cx, s);
      emitStmt(cx, s.body);
      return;
    case "tir.AllocateConst":
      declareConstants(cx, s);
      emitStmt(cx, s.body);
      return;
    case "tir.Evaluate":
      evaluate(cx, s);
      return;
    case "tir.AttrStmt":
      if (s.attrKey === "virtual_thread") unsupported(cx, "virtual threads", "Run `InjectVirtualThread` first.", s.span);
      emitStmt(cx, s.body);
      return;
    // A kernel has nobody to tell.
    case "tir.AssertStmt":
    case "tir.DeclBuffer":
      emitStmt(cx, s.body);
      return;
    // Says when to bring memory near, which a kernel cannot.
    case "tir.Prefetch":
      return;
    case "tir.BufferRealize":
      unsupported(cx, "a realization of a buffer", "Allocate the buffer in a block instead.", s.span);
      return;
    case "tir.Block":
    case "tir.BlockRealize":
      unsupported(cx, "a block", "Lower the function first.", s.span);
      return;
    default:
      assertNever(s);
  }
}

function emitIf(cx: StmtContext, condition: Parameters<KernelContext["expr"]>[0], then: () => void, otherwise: Stmt | undefined): void {
  cx.code.block(`if (${cx.expr(condition)})`, () => cx.analyzer.withConstraint(condition, then), otherwise === undefined ? "}" : "} else {");
  if (otherwise !== undefined) cx.code.continue(() => cx.analyzer.withConstraint(not(condition), () => emitStmt(cx, otherwise)));
}

function emitFor(cx: StmtContext, s: For): void {
  const name = cx.names.fresh("v", s.loopVar.name);
  const type = wgslTypeOf(s.loopVar.dtype);
  if (type === undefined) {
    cx.report("unsupported-type", { dtype: s.loopVar.dtype }, s.span);
    return;
  }
  const min = cx.expr(s.min);
  const end = cx.expr(cx.analyzer.simplify(add(s.min, s.extent)));
  cx.vars.set(s.loopVar, name);
  cx.analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
  cx.code.block(`for (var ${name}: ${type} = ${min}; ${name} < ${end}; ${name}++)`, () => emitStmt(cx, s.body));
}

function evaluate(cx: StmtContext, { value, span }: Evaluate): void {
  if (value.kind !== "tir.Call") return;
  const name = value.op.kind === "ir.Op" ? value.op.name : "";
  switch (name) {
    case "tir.tvm_storage_sync": {
      const [scope] = value.args;
      cx.code.line(scope?.kind === "tir.StringImm" && scope.value === "global" ? "storageBarrier();" : "workgroupBarrier();");
      return;
    }
    case "tir.break_loop":
      cx.code.line("break;");
      return;
    case "tir.continue_loop":
      cx.code.line("continue;");
      return;
    case "tir.thread_return":
    case "tir.ret":
      cx.code.line("return;");
      return;
    default:
      unsupported(cx, `the effect of \`${value.op.name}\``, "Lower it first.", span);
  }
}

function allocate(cx: StmtContext, s: Allocate): void {
  const element = computeScalar(s.dtype);
  const size = s.extents.map(asInt).reduce<number | undefined>((a, b) => (a === undefined || b === undefined ? undefined : a * b), 1);
  if (element === undefined || size === undefined) {
    if (element === undefined) cx.report("unsupported-type", { dtype: s.dtype }, s.span);
    else unsupported(cx, "memory of a size that is not known at compile time", "Fix symbolic dimensions with `dims`.", s.span);
    return;
  }
  if (element === "f16" && !cx.features.has("shader-f16")) cx.report("missing-feature", { what: `Memory of float16 (\`${s.bufferVar.name}\`)`, feature: "shader-f16" }, s.span);
  const type = s.bufferVar.typeAnnotation;
  const scope = type?.kind === "ir.PointerType" ? type.storageScope : "";
  if (scope.startsWith("shared")) {
    const name = cx.names.fresh("shared", s.bufferVar.name);
    cx.globals.push(`var<workgroup> ${name}: array<${element}, ${size}>;`);
    cx.share(size * (element === "f16" ? 2 : 4));
    cx.storage.set(s.bufferVar, { kind: "array", name, element });
    return;
  }
  const lanes = size <= MAX_CELLS ? cellLanes(cx.accesses.get(s.bufferVar) ?? []) : undefined;
  if (lanes === undefined || size % lanes !== 0) {
    const name = cx.names.fresh("local", s.bufferVar.name);
    cx.code.line(`var ${name}: array<${element}, ${size}>;`);
    cx.storage.set(s.bufferVar, { kind: "array", name, element });
    return;
  }
  const cells = Array.from({ length: size / lanes }, (_, i) => cx.names.fresh("r", `${s.bufferVar.name}_${i}`));
  for (const cell of cells) cx.code.line(`var ${cell}: ${wgslType(element, lanes)};`);
  cx.storage.set(s.bufferVar, { kind: "cells", lanes, cells });
}

function declareConstants(cx: StmtContext, s: AllocateConst): void {
  const element = computeScalar(s.dtype);
  const count = s.data.data.length;
  if (element === undefined || element === "f16" || count > MAX_CONSTANTS) {
    unsupported(cx, `${count} constants of ${s.dtype} inside a kernel`, "Pass them as a tensor.", s.span);
    return;
  }
  const name = cx.names.fresh("constants", s.bufferVar.name);
  const numbers = Array.from({ length: count }, (_, i) => Number(getElement(s.data, i)));
  if (!numbers.every((v) => Number.isFinite(v))) unsupported(cx, "a constant that is no finite number inside a kernel", "Pass it as a tensor.", s.span);
  const values = numbers.map((v) => constantText(element, v));
  cx.globals.push(`const ${name} = array<${element}, ${count}>(${values.join(", ")});`);
  cx.storage.set(s.bufferVar, { kind: "array", name, element });
}

function constantText(element: WgslScalar, value: number): string {
  if (element === "bool") return value === 0 ? "false" : "true";
  return element === "f32" ? `${Math.fround(value)}f` : element === "u32" ? `${value}u` : `${value}i`;
}
