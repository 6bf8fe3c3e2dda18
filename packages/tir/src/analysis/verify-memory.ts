import { Diagnostics, throwIfErrors, type IRModule } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { targetKind, targetOf } from "../transform/target-attr.ts";
import { analysisDiagnostics } from "./diagnostics.ts";

const GPUS: ReadonlySet<string> = new Set(["cuda", "opencl", "vulkan", "metal", "rocm", "webgpu"]);

/**
 * Checks that a function for a GPU touches its arguments inside of thread axes only: outside of them the host would
 * (upstream's `verify_memory`). A function without a target, or for another device, passes.
 */
export function verifyMemory(func: PrimFunc, diagnostics: Diagnostics): void {
  const target = targetOf(func);
  if (target === undefined || !GPUS.has(targetKind(target))) return;
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const pointers = new Set([...func.bufferMap.values()].map((b) => b.data));
  if (func.params[0] !== undefined) pointers.add(func.params[0]);
  const touch = (b: Buffer, span: typeof b.span): void => {
    if (pointers.has(b.data)) report("host-access", { buffer: b.name }, span ?? b.span);
  };
  const outside: Visitor = {
    expr: (e) => void (e.kind === "tir.BufferLoad" && touch(e.buffer, e.span)),
    stmt(s) {
      if (s.kind === "tir.BufferStore") touch(s.buffer, s.span);
      if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent") return "skip";
      if (s.kind === "tir.For" && s.forKind === "thread_binding") return "skip";
      if (s.kind === "tir.Block") {
        // What a block says that it touches is not an access.
        if (s.init) visitStmt(s.init, outside);
        visitStmt(s.body, outside);
        return "skip";
      }
      if (s.kind === "tir.BlockRealize") {
        for (const e of [...s.iterValues, s.predicate]) visitExpr(e, outside);
        visitStmt(s.block, outside);
        return "skip";
      }
      return undefined;
    },
  };
  visitStmt(func.body, outside);
}

/** @throws DiagnosticError for any tensor program of the module that fails. */
export function assertMemory(module: IRModule): void {
  const diagnostics = new Diagnostics();
  for (const func of module.functions.values()) if (func.kind === "tir.PrimFunc") verifyMemory(func as PrimFunc, diagnostics);
  throwIfErrors(diagnostics);
}
