import { lanesOf, parseDType } from "@verticil/runtime-ffi";
import type { Allocate, AllocateConst, Call, DeclBuffer, For, IfThenElse, LetStmt, PrimExpr, Stmt, Var, While } from "@verticil/tir";
import { mergeEpochs } from "./branches.ts";
import { callExpr } from "./calls.ts";
import { cellsFor, cellsOf } from "./cells.ts";
import type { Binding, FuncContext } from "./context.ts";
import { bindingOf } from "./expr.ts";
import { scalarTyped, single, type Typed } from "./lanes.ts";
import { addLinear, constantLinear, linearOf, mulLinear, sumLinear, termLinear } from "./linear.ts";
import { callWrites, constExtent, isUnrolled, type LoopEffects } from "./loops.ts";
import { storeBuffer, storedBytes } from "./memory.ts";
import { codeParallel, type ParallelSites } from "./parallel.ts";
import { predicatedStore } from "./predicate.ts";
import { unsupported } from "./unsupported.ts";
import type { Value } from "./value.ts";

/** Memory that a function takes for itself starts at a multiple of this. */
const ALIGNMENT = 64;

/** What statements need beyond the shared context. */
export interface StmtContext extends FuncContext {
  /** The address of constant memory. */
  readonly constantData: (stmt: AllocateConst) => number;
  /** Moves the shadow stack down for memory whose size is known at run time only. */
  readonly stackPointer: () => Value;
  /** Who runs parallel loops; undefined if they are plain loops. */
  readonly parallel: ParallelSites | undefined;
  /** Whether statements remember where they come from. */
  readonly keepSpans: boolean;
  /** What a loop of the function does. */
  readonly effectsOf: (loop: For | While) => LoopEffects;
}

/** Writes the code of a statement into the current region. */
export function codeStmt(cx: StmtContext, stmt: Stmt): void {
  if (cx.keepSpans) cx.graph.comingFrom(stmt.span, () => codeKind(cx, stmt));
  else codeKind(cx, stmt);
}

function codeKind(cx: StmtContext, stmt: Stmt): void {
  switch (stmt.kind) {
    case "tir.SeqStmt":
      for (const s of stmt.seq) codeStmt(cx, s);
      return;
    case "tir.BufferStore": {
      if (stmt.predicate !== undefined) predicatedStore(cx, stmt, stmt.predicate);
      else storeBuffer(cx, stmt.buffer, stmt.indices, cx.expr(stmt.value));
      return;
    }
    case "tir.For":
      codeFor(cx, stmt);
      return;
    case "tir.While":
      codeWhile(cx, stmt);
      return;
    case "tir.IfThenElse":
      codeIf(cx, stmt);
      return;
    case "tir.LetStmt":
      codeLet(cx, stmt);
      return;
    case "tir.AttrStmt":
      codeStmt(cx, stmt.body);
      return;
    case "tir.AssertStmt":
      if (cx.checks.assertions) cx.graph.emit({ kind: "check", condition: single(cx.expr(stmt.condition)) });
      codeStmt(cx, stmt.body);
      return;
    case "tir.Allocate":
      codeAllocate(cx, stmt);
      return;
    case "tir.AllocateConst":
      cx.storage.set(stmt.bufferVar, { kind: "memory", base: cx.graph.i32(cx.constantData(stmt)), token: {} });
      codeStmt(cx, stmt.body);
      return;
    case "tir.DeclBuffer":
      codeDeclBuffer(cx, stmt);
      return;
    case "tir.Evaluate":
      codeEvaluate(cx, stmt.value);
      return;
    // Says when to bring memory near, which there is no instruction for.
    case "tir.Prefetch":
      return;
    case "tir.BufferRealize":
      unsupported("a realization of a buffer", "Allocate the buffer in a block instead.", stmt.span);
      return;
    case "tir.Block":
    case "tir.BlockRealize":
      unsupported("blocks", "Lower them first (`LowerOpaqueBlock`).", stmt.span);
  }
}

function codeDeclBuffer(cx: StmtContext, stmt: DeclBuffer): void {
  bindPointer(cx, stmt.buffer.data);
  codeStmt(cx, stmt.body);
}

/** Gives a pointer variable storage, if it is a variable that holds an address. */
function bindPointer(cx: StmtContext, v: Var): void {
  const bound = cx.env.get(v);
  if (cx.storage.has(v) || bound === undefined) return;
  cx.storage.set(v, { kind: "memory", base: single(bound.typed()), token: v });
}

function codeLet(cx: StmtContext, stmt: LetStmt): void {
  if (stmt.bind.dtype === "handle") {
    const base = single(cx.expr(stmt.value));
    cx.env.set(stmt.bind, { linear: undefined, typed: () => scalarTyped("handle", base) });
    cx.storage.set(stmt.bind, { kind: "memory", base, token: tokenOf(cx, stmt.value) });
    codeStmt(cx, stmt.body);
    return;
  }
  const binding = bindingOf(cx, stmt.value);
  cx.env.set(stmt.bind, pinned(cx, binding));
  codeStmt(cx, stmt.body);
}

/** The token of the memory that a pointer expression points into. */
function tokenOf(cx: StmtContext, pointer: PrimExpr): object {
  if (pointer.kind === "tir.Var") {
    const storage = cx.storage.get(pointer);
    return storage?.kind === "memory" ? storage.token : pointer;
  }
  if (pointer.kind === "tir.BufferLoad") return tokenOf(cx, pointer.buffer.data);
  if (pointer.kind === "tir.Call") {
    const source = pointer.args.find((a) => a.dtype === "handle" || (a.kind === "tir.BufferLoad" && pointer.op.name === "tir.address_of"));
    if (source !== undefined) return tokenOf(cx, source);
  }
  return unsupported("a pointer of unknown origin", "Derive pointers from parameters and allocations.", pointer.span);
}

/** The binding computed here, where it reads memory: later writes do not change it. */
function pinned(cx: StmtContext, binding: Binding): Binding {
  const typed = binding.typed();
  let changed = false;
  const parts = typed.parts.map((p) => {
    if (!dependsOnMemory(p)) return p;
    changed = true;
    const held = p.kind === "cell" ? cx.graph.copy(p) : p;
    cx.graph.emit({ kind: "pin", value: held });
    return held;
  });
  if (!changed) return binding;
  const value: Typed = { ...typed, parts };
  const [first] = parts;
  const linear = binding.linear === undefined || first === undefined ? undefined : first.type === "i64" ? undefined : termLinear(first);
  return { linear, typed: () => value };
}

function dependsOnMemory(value: Value): boolean {
  if (value.kind === "load" || value.kind === "cell") return true;
  return value.kind === "op" && value.args.some((a) => dependsOnMemory(a));
}

/** New epochs for all that a loop or a branch may write. */
function writeAll(cx: StmtContext, effects: LoopEffects): void {
  for (const v of effects.vars) {
    const storage = cx.storage.get(v);
    if (storage?.kind === "memory") cx.epochs.written(storage.token);
    for (const cell of cellsOf(cx, v)) cx.epochs.written(cell);
  }
  if (effects.anything) cx.epochs.allWritten((place) => !("region" in place));
}

function codeFor(cx: StmtContext, stmt: For): void {
  const extent = constExtent(stmt);
  if (extent !== undefined && extent <= 0) return;
  if (extent !== undefined && isUnrolled(stmt)) {
    for (let i = 0; i < extent; i++) {
      bindLoopVar(cx, stmt, termLinear(cx.graph.i32(i)));
      codeStmt(cx, stmt.body);
    }
    return;
  }
  if (extent !== undefined) {
    loop(cx, stmt, cx.graph.i32(extent), extent);
    return;
  }
  // At least one iteration, or none of it.
  const count = sumLinear(cx.graph, linearOf(cx, stmt.extent));
  if (count.range !== undefined && count.range.lo >= 1) {
    loop(cx, stmt, count, count.range.hi);
    return;
  }
  const condition = cx.graph.op("i32.gt_s", [count, cx.graph.i32(0)]);
  const thenRegion = cx.graph.makeRegion("branch", { certain: false });
  const before = cx.epochs.save();
  cx.graph.inside(thenRegion, () => loop(cx, stmt, count, count.range?.hi));
  const after = cx.epochs.save();
  cx.epochs.restore(before);
  mergeEpochs(cx, before, after);
  cx.graph.emit({ kind: "if", condition, thenRegion, elseRegion: undefined });
}

/** A loop of at least one and at most `extent` iterations. */
function loop(cx: StmtContext, stmt: For, count: Value, extent: number | undefined): void {
  if (codeParallel(cx, stmt, count)) return;
  const effects = cx.effectsOf(stmt);
  const body = cx.graph.makeRegion("loop", { certain: true, hasLoops: effects.hasLoops });
  cx.graph.inside(body, () => {
    writeAll(cx, effects);
    bindLoopVar(cx, stmt, termLinear(cx.graph.counter(body, extent)));
    codeStmt(cx, stmt.body);
  });
  cx.graph.emit({ kind: "loop", body, extent: count });
  writeAll(cx, effects);
}

function bindLoopVar(cx: StmtContext, stmt: For, iteration: ReturnType<typeof termLinear>): void {
  const linear = addLinear(iteration, linearOf(cx, stmt.min));
  const { dtype } = stmt.loopVar;
  const typed = (): Typed => {
    const value = sumLinear(cx.graph, linear);
    return scalarTyped(dtype, parseDType(dtype).bits === 64 ? cx.graph.op("i64.extend_i32_s", [value]) : value);
  };
  cx.env.set(stmt.loopVar, { linear, typed });
}

function codeWhile(cx: StmtContext, stmt: While): void {
  const effects = cx.effectsOf(stmt);
  const body = cx.graph.makeRegion("loop", { certain: false, hasLoops: effects.hasLoops });
  const condition = cx.graph.inside(body, () => {
    writeAll(cx, effects);
    const value = single(cx.expr(stmt.condition));
    codeStmt(cx, stmt.body);
    return value;
  });
  cx.graph.emit({ kind: "while", body, condition });
  writeAll(cx, effects);
}

function codeIf(cx: StmtContext, stmt: IfThenElse): void {
  const condition = single(cx.expr(stmt.condition));
  if (condition.kind === "const") {
    const taken = condition.value === 0 ? stmt.elseCase : stmt.thenCase;
    if (taken !== undefined) codeStmt(cx, taken);
    return;
  }
  const before = cx.epochs.save();
  const thenRegion = cx.graph.makeRegion("branch", { certain: false });
  cx.graph.inside(thenRegion, () => codeStmt(cx, stmt.thenCase));
  const afterThen = cx.epochs.save();
  cx.epochs.restore(before);
  const { elseCase } = stmt;
  const elseRegion = elseCase === undefined ? undefined : cx.graph.makeRegion("branch", { certain: false });
  if (elseRegion !== undefined && elseCase !== undefined) cx.graph.inside(elseRegion, () => codeStmt(cx, elseCase));
  mergeEpochs(cx, before, afterThen);
  cx.graph.emit({ kind: "if", condition, thenRegion, elseRegion });
}

function codeAllocate(cx: StmtContext, stmt: Allocate): void {
  const cells = cellsFor(cx, stmt);
  if (cells !== undefined) {
    cx.storage.set(stmt.bufferVar, cells);
    codeStmt(cx, stmt.body);
    return;
  }
  const unit = storedBytes(stmt.dtype) * lanesOf(stmt.dtype);
  const size = stmt.extents.reduce((product, e) => mulLinear(cx.graph, product, linearOf(cx, e)), constantLinear(unit));
  if (size.terms.size === 0) {
    const offset = cx.reserve(Math.ceil(size.constant / ALIGNMENT) * ALIGNMENT);
    const base = cx.graph.op("i32.add", [cx.graph.frame(), cx.graph.i32(offset)]);
    cx.storage.set(stmt.bufferVar, { kind: "memory", base, token: {} });
    bindAddress(cx, stmt.bufferVar, base);
    codeStmt(cx, stmt.body);
    return;
  }
  allocateOnStack(cx, stmt, sumLinear(cx.graph, size));
}

function bindAddress(cx: StmtContext, v: Var, base: Value): void {
  cx.env.set(v, { linear: undefined, typed: () => scalarTyped("handle", base) });
}

function allocateOnStack(cx: StmtContext, stmt: Allocate, bytes: Value): void {
  const { graph } = cx;
  const before = cx.stackPointer();
  const base = graph.op("i32.and", [graph.op("i32.sub", [before, bytes]), graph.i32(-ALIGNMENT)]);
  graph.emit({ kind: "set-stack", value: base });
  graph.emit({ kind: "pin", value: base });
  cx.storage.set(stmt.bufferVar, { kind: "memory", base, token: {} });
  bindAddress(cx, stmt.bufferVar, base);
  codeStmt(cx, stmt.body);
  graph.emit({ kind: "set-stack", value: before });
}

/** Calls that only tell the compiler something. */
const NOTHING: ReadonlySet<string> = new Set(["tir.assume", "tir.undef", "tir.tvm_storage_sync", "tir.start_profile_intrinsic", "tir.end_profile_intrinsic"]);

function codeEvaluate(cx: StmtContext, value: PrimExpr): void {
  if (value.kind !== "tir.Call") return;
  if (value.op.kind === "ir.Op" && value.op.name === "tir.ret") {
    const [result] = value.args;
    cx.graph.emit({ kind: "return", value: result === undefined ? undefined : single(cx.expr(result)) });
    return;
  }
  if (isNothing(value) || !callWrites(value)) return;
  callExpr(cx, value);
}

function isNothing(call: Call): boolean {
  return call.op.kind === "ir.Op" && NOTHING.has(call.op.name);
}
