import type { Diagnostics, Reporter, Span } from "@verticil/ir-core";
import type { Analyzer, AnyVar, PrimExpr } from "@verticil/tir";
import type { webgpuDiagnostics } from "../diagnostics.ts";
import type { CodeWriter } from "./code-writer.ts";
import type { Names } from "./names.ts";
import type { Storage } from "./storage.ts";

/** Everything the parts of the code generator share while they work on one kernel. */
export interface KernelContext {
  readonly kernel: string;
  readonly features: ReadonlySet<string>;
  readonly code: CodeWriter;
  readonly names: Names;
  /** What is known of loop and thread variables. */
  readonly analyzer: Analyzer;
  /** The WGSL of a variable's value. */
  readonly vars: Map<AnyVar, string>;
  readonly storage: Map<AnyVar, Storage>;
  /** Helper functions that the code calls. */
  readonly helpers: Set<string>;
  /** Declarations outside of functions. */
  readonly globals: string[];
  readonly diagnostics: Diagnostics;
  readonly report: Reporter<typeof webgpuDiagnostics>;
  /** The WGSL of an expression; what it has to compute first goes to `code`. */
  readonly expr: (e: PrimExpr) => string;
}

/** Reports what has no WGSL; gives something to stand in its place, so that more can be found. */
export function unsupported(cx: KernelContext, what: string, help: string, span?: Span): string {
  cx.report("unsupported-expression", { what, help }, span);
  return "0";
}

/** A value in a variable of its own, so that it can be used several times; names and numbers stay as they are. */
export function once(cx: KernelContext, hint: string, value: string): string {
  if (/^[\w.]+$/.test(value)) return value;
  const name = cx.names.fresh("t", hint);
  cx.code.line(`let ${name} = ${value};`);
  return name;
}
