import { asInt, type PrimExpr } from "@verticil/tir";
import type { Expr } from "../ir/expr.ts";
import type { InferContext } from "../ir/op-def.ts";
import { sameStructInfo } from "../ir/same-struct-info.ts";
import type { FuncStructInfo, ShapeStructInfo, StructInfo, TensorStructInfo } from "../ir/struct-info.ts";

/**
 * Whether a value of one struct info may stand where another is asked for; upstream's `StructInfoBaseCheck`.
 *
 * - `never`: they exclude each other (kFailL0)
 * - `narrowing`: only if the value turns out to be more special than is known: a cast that is checked at run time (kFailL1)
 * - `unproven`: they differ at most in dimensions that cannot be compared now (kFailL2)
 * - `always`: whatever has the derived struct info has the base (kPass)
 */
export type BaseCheck = "never" | "narrowing" | "unproven" | "always";

const ORDER: readonly BaseCheck[] = ["never", "narrowing", "unproven", "always"];

function worst(results: readonly BaseCheck[]): BaseCheck {
  return ORDER.find((r) => results.includes(r)) ?? "always";
}

/** How `derived` relates to `base`. */
export function structInfoBaseCheck(base: StructInfo, derived: StructInfo, ctx: InferContext): BaseCheck {
  if (base === derived || base.kind === "relax.ObjectStructInfo") return "always";
  if (derived.kind === "relax.ObjectStructInfo") return "narrowing";
  switch (base.kind) {
    case "relax.PrimStructInfo": {
      if (derived.kind !== "relax.PrimStructInfo" || base.dtype !== derived.dtype) return "never";
      if (base.value === undefined) return "always";
      return derived.value === undefined ? "unproven" : compareDims(base.value, derived.value, ctx);
    }
    case "relax.ShapeStructInfo":
      return derived.kind === "relax.ShapeStructInfo" ? compareShapes(base, derived, ctx) : "never";
    case "relax.TensorStructInfo":
      return derived.kind === "relax.TensorStructInfo" ? compareTensors(base, derived, ctx) : "never";
    case "relax.DTensorStructInfo": {
      if (derived.kind !== "relax.DTensorStructInfo") return "never";
      const isPlaced = sameStructInfo({ ...base, tensorInfo: derived.tensorInfo }, derived);
      return worst([compareTensors(base.tensorInfo, derived.tensorInfo, ctx), isPlaced ? "always" : "narrowing"]);
    }
    case "relax.TupleStructInfo":
      return derived.kind === "relax.TupleStructInfo" ? compareLists(base.fields, derived.fields, ctx) : "never";
    case "relax.FuncStructInfo":
      return derived.kind === "relax.FuncStructInfo" ? compareFunctions(base, derived, ctx) : "never";
  }
}

/** True if whatever has `derived` surely has `base`. */
export function isBaseOf(base: StructInfo, derived: StructInfo, ctx: InferContext): boolean {
  return structInfoBaseCheck(base, derived, ctx) === "always";
}

function compareDims(a: PrimExpr, b: PrimExpr, ctx: InferContext): BaseCheck {
  const [x, y] = [asInt(a), asInt(b)];
  if (x !== undefined && y !== undefined) return x === y ? "always" : "never";
  return ctx.proveEqual(a, b) ? "always" : "unproven";
}

function compareLists(base: readonly StructInfo[], derived: readonly StructInfo[], ctx: InferContext): BaseCheck {
  if (base.length !== derived.length) return "never";
  return worst(base.map((b, i) => structInfoBaseCheck(b, derived[i] ?? b, ctx)));
}

function compareDimLists(base: readonly PrimExpr[], derived: readonly PrimExpr[], ctx: InferContext): BaseCheck {
  if (base.length !== derived.length) return "never";
  return worst(base.map((b, i) => compareDims(b, derived[i] ?? b, ctx)));
}

function compareRanks(base: number, derived: number): BaseCheck {
  if (base < 0 || base === derived) return "always";
  return derived < 0 ? "narrowing" : "never";
}

function compareShapes(base: ShapeStructInfo, derived: ShapeStructInfo, ctx: InferContext): BaseCheck {
  const ranks = compareRanks(base.ndim, derived.ndim);
  if (ranks !== "always" || base.values === undefined) return ranks;
  return derived.values === undefined ? "unproven" : compareDimLists(base.values, derived.values, ctx);
}

function compareTensors(base: TensorStructInfo, derived: TensorStructInfo, ctx: InferContext): BaseCheck {
  if (base.dtype !== undefined && base.dtype !== derived.dtype) return derived.dtype === undefined ? "narrowing" : "never";
  const ranks = compareRanks(base.ndim, derived.ndim);
  if (ranks !== "always") return ranks;
  if (base.vdevice !== undefined && base.vdevice !== derived.vdevice) {
    if (derived.vdevice === undefined) return "narrowing";
    if (!sameStructInfo({ ...derived, vdevice: base.vdevice }, derived)) return "never";
  }
  if (base.shape === undefined) return "always";
  return derived.shape === undefined ? "unproven" : compareShapeExprs(base.shape, derived.shape, ctx);
}

function compareShapeExprs(base: Expr, derived: Expr, ctx: InferContext): BaseCheck {
  if (base === derived) return "always";
  if (base.kind !== "relax.ShapeExpr" || derived.kind !== "relax.ShapeExpr") return "unproven";
  return compareDimLists(base.values, derived.values, ctx);
}

/** A pure function may stand for one that may have effects, not the other way round. */
function compareFunctions(base: FuncStructInfo, derived: FuncStructInfo, ctx: InferContext): BaseCheck {
  if (base.purity && !derived.purity) return "never";
  if (base.params === undefined) {
    if (base.deriveFunc !== undefined) return base.deriveFunc === derived.deriveFunc ? "always" : "unproven";
    return structInfoBaseCheck(base.ret, derived.ret, ctx);
  }
  if (derived.params === undefined) return "unproven";
  // Their parameters may name the same dimensions by other variables.
  if (sameStructInfo(base, derived)) return "always";
  const params = compareLists(base.params, derived.params, ctx);
  return worst([params === "narrowing" ? "unproven" : params, structInfoBaseCheck(base.ret, derived.ret, ctx)]);
}
