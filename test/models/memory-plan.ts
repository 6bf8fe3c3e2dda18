import type { IRModule, PassInstrument } from "@verticil/ir-core";
import { forEachBinding, isCallTo, isRelaxFunction, plannedBytes, shapeOf, type Expr, type StructInfo } from "@verticil/relax";
import { dtypeBytes } from "@verticil/runtime-ffi";
import { Analyzer, constant, undefinedVars, substitute, type PrimExpr } from "@verticil/tir";

/** What the functions of a module allocate, in bytes. */
export interface MemoryPlan {
  /** All allocations beside each other: what a run without planning takes. */
  readonly unplanned: number;
  /** The storages that the planned allocations share. */
  readonly planned: number;
  /** The allocations that have memory of their own after planning: what functions give, and what the host is handed. */
  readonly kept: number;
}

/** Watches memory being planned; symbolic sizes count as in `sizes`. `plan()` says afterwards what came of it. */
export function memoryPlanInstrument(sizes: Readonly<Record<string, number>> = {}): { readonly instrument: PassInstrument; plan(): MemoryPlan } {
  let plan: MemoryPlan | undefined;
  const instrument: PassInstrument = {
    name: "memory-plan",
    runAfter(pass, module, _, before) {
      if (pass.name !== "StaticPlanBlockMemory") return;
      plan = { unplanned: allocated(before, sizes), planned: storages(module), kept: allocated(module, sizes) };
    },
  };
  return {
    instrument,
    plan: () => {
      if (plan === undefined) throw new Error("No memory was planned.");
      return plan;
    },
  };
}

function storages(module: IRModule): number {
  return [...module.functions.values()].filter(isRelaxFunction).reduce((sum, f) => sum + plannedBytes(f), 0);
}

function allocated(module: IRModule, sizes: Readonly<Record<string, number>>): number {
  let sum = 0;
  const visit = (e: Expr): void =>
    forEachBinding(e, ({ value }) => {
      if (isCallTo(value, "relax.builtin.alloc_tensor")) sum += bytesOf(value.structInfo, sizes);
      if (value.kind !== "relax.If") return;
      visit(value.trueBranch);
      visit(value.falseBranch);
    });
  for (const f of module.functions.values()) if (isRelaxFunction(f)) visit(f.body);
  return sum;
}

function bytesOf(info: StructInfo | undefined, sizes: Readonly<Record<string, number>>): number {
  const shape = info === undefined ? undefined : shapeOf(info);
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || shape === undefined) throw new Error("An allocation of unknown size.");
  return shape.reduce((n, d) => n * sizeOf(d, sizes), dtypeBytes(info.dtype));
}

function sizeOf(dim: PrimExpr, sizes: Readonly<Record<string, number>>): number {
  const given = new Map([...undefinedVars(dim)].map((v) => [v, constant(sizes[v.name] ?? NaN, v.dtype)]));
  const value = new Analyzer().simplify(substitute(dim, given));
  if (value.kind !== "ir.IntImm") throw new Error("A size depends on more than was given.");
  return Number(value.value);
}
