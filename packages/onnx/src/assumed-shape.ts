import { makeTensorStructInfo, shapeOf, type Expr, type StructInfo, type TensorStructInfo } from "@verticil/relax";
import { asInt, isConstInt, type PrimExpr } from "@verticil/tir";

/** Operators whose operands broadcast against each other. */
const BROADCASTING: ReadonlySet<string> = new Set([
  "relax.add", "relax.subtract", "relax.multiply", "relax.divide", "relax.floor_divide", "relax.mod", "relax.floor_mod",
  "relax.power", "relax.maximum", "relax.minimum", "relax.equal", "relax.not_equal", "relax.less", "relax.less_equal",
  "relax.greater", "relax.greater_equal", "relax.logical_and", "relax.logical_or", "relax.logical_xor", "relax.where",
]);

/**
 * The struct info that a call must have at run time where inference could not prove it: symbolic sizes that meet, such
 * as `2 * (h // 32)` and `h // 16`, are equal in every run that does not fail. Undefined where nothing can be said.
 */
export function assumedInfo(name: string, args: readonly Expr[], info: StructInfo): TensorStructInfo | undefined {
  if (info.kind !== "relax.TensorStructInfo" || info.shape !== undefined || info.ndim < 0) return undefined;
  const operands = args.flatMap((a) => (a.kind === "relax.Tuple" ? a.fields : [a])).map(dimsOf);
  if (!operands.every((d) => d !== undefined)) return undefined;
  const dims = assumedDims(name, operands, info.ndim);
  return dims === undefined ? undefined : makeTensorStructInfo(dims, info.dtype, info.vdevice);
}

function dimsOf(x: Expr): readonly PrimExpr[] | undefined {
  return shapeOf("structInfo" in x ? x.structInfo : undefined);
}

function assumedDims(name: string, operands: readonly (readonly PrimExpr[])[], rank: number): readonly PrimExpr[] | undefined {
  if (BROADCASTING.has(name)) return broadcast(operands, rank);
  const [a, b] = operands;
  if (name === "relax.matmul" && a !== undefined && b !== undefined && a.length >= 2 && b.length >= 2) {
    const [rows, columns] = [a[a.length - 2], b[b.length - 1]];
    if (rows === undefined || columns === undefined) return undefined;
    return [...broadcast([a.slice(0, -2), b.slice(0, -2)], rank - 2), rows, columns];
  }
  return undefined;
}

function broadcast(operands: readonly (readonly PrimExpr[])[], rank: number): readonly PrimExpr[] {
  return Array.from({ length: rank }, (_, i) => {
    const candidates = operands.flatMap((dims) => dims[i - rank + dims.length] ?? []);
    const [first = candidates[0], ...rest] = candidates.filter((d) => !isConstInt(d, 1));
    if (first === undefined) return { kind: "ir.IntImm", dtype: "int64", value: 1 };
    return rest.reduce((best, d) => (weight(d) < weight(best) ? d : best), first);
  });
}

/** A number is better than a variable, and that better than a long expression. */
function weight(d: PrimExpr): number {
  if (asInt(d) !== undefined) return 0;
  return 1 + ("a" in d ? weight(d.a) : 0) + ("b" in d ? weight(d.b) : 0);
}
