import { irDialect, structuralEqual, type Dialect } from "@verticil/ir-core";
import { tirNodes, type PrimExpr } from "@verticil/tir";
import { relaxNodes } from "./node-table.ts";
import { shapeOf } from "./make.ts";
import type { StructInfo } from "./struct-info.ts";

const dialects: readonly Dialect[] = [irDialect, tirNodes, relaxNodes];

/** True if two struct infos say the same of the same variables. Fast for static shapes. */
export function sameStructInfo(a: StructInfo, b: StructInfo): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === "relax.TensorStructInfo" && b.kind === "relax.TensorStructInfo") {
    if (a.dtype !== b.dtype || a.ndim !== b.ndim || a.vdevice !== b.vdevice) return false;
    const x = shapeOf(a);
    const y = shapeOf(b);
    if (x === undefined || y === undefined) return a.shape === b.shape;
    return x.length === y.length && x.every((d, i) => sameDim(d, y[i]));
  }
  return structuralEqual(a, b, { dialects });
}

function sameDim(a: PrimExpr, b: PrimExpr | undefined): boolean {
  if (a === b) return true;
  if (b === undefined || a.kind !== b.kind) return false;
  if (a.kind === "ir.IntImm") return b.kind === "ir.IntImm" && a.value === b.value && a.dtype === b.dtype;
  return structuralEqual(a, b, { dialects });
}
