import { makeTensorStructInfo, shapeOf, type Expr, type StructInfo } from "@verticil/relax";
import { asInt, isConstInt, type PrimExpr } from "@verticil/tir";

/** Operators whose operands broadcast against each other. */
const BROADCASTING: ReadonlySet<string> = new Set([
  "relax.add", "relax.subtract", "relax.multiply", "relax.divide", "relax.floor_divide", "relax.mod", "relax.floor_mod",
  "relax.power", "relax.maximum", "relax.minimum", "relax.equal", "relax.not_equal", "relax.less", "relax.less_equal",
  "relax.greater", "relax.greater_equal", "relax.logical_and", "relax.logical_or", "relax.logical_xor", "relax.where",
]);

/**
 * The struct info that each operand of a call must have at run time where sizes meet that nothing proves equal, such as
 * `2 * (h // 32)` and `h // 16`: they are equal in every run that does not fail. Undefined for operands that need no
 * assumption.
 */
export function assumedOperands(
  name: string,
  args: readonly Expr[],
  proveEqual: (a: PrimExpr, b: PrimExpr) => boolean,
): readonly (StructInfo | undefined)[] {
  const operands = args.map(dimsOf);
  if (!operands.every((d) => d !== undefined)) return [];
  const wanted = wantedDims(name, operands);
  if (wanted === undefined) return [];
  return operands.map((dims, k): StructInfo | undefined => {
    const info = infoOf(args[k]);
    const target = wanted[k];
    if (target === undefined || info?.kind !== "relax.TensorStructInfo") return undefined;
    const next = dims.map((d, i) => {
      const t = target[i];
      return t === undefined || isConstInt(d, 1) || d === t || proveEqual(d, t) || (asInt(d) !== undefined && asInt(t) !== undefined) ? d : t;
    });
    return next.every((d, i) => d === dims[i]) ? undefined : makeTensorStructInfo(next, info.dtype, info.vdevice);
  });
}

function infoOf(x: Expr | undefined): StructInfo | undefined {
  return x !== undefined && "structInfo" in x ? x.structInfo : undefined;
}

function dimsOf(x: Expr): readonly PrimExpr[] | undefined {
  return shapeOf(infoOf(x));
}

type Dims = readonly PrimExpr[];

/** What the dimensions of each operand should be: those of the best known size that they meet. */
function wantedDims(name: string, operands: readonly Dims[]): readonly Dims[] | undefined {
  if (BROADCASTING.has(name)) {
    const shape = broadcast(operands);
    return operands.map((dims) => shape.slice(shape.length - dims.length));
  }
  const [a, b] = operands;
  if (name !== "relax.matmul" || a === undefined || b === undefined || a.length < 2 || b.length < 2) return undefined;
  const batches = [a.slice(0, -2), b.slice(0, -2)];
  const batch = broadcast(batches);
  const [rows, inner, other, columns] = [a[a.length - 2], a[a.length - 1], b[b.length - 2], b[b.length - 1]];
  if (rows === undefined || inner === undefined || other === undefined || columns === undefined) return undefined;
  const common = weight(other) < weight(inner) ? other : inner;
  return [
    [...batch.slice(batch.length - a.length + 2), rows, common],
    [...batch.slice(batch.length - b.length + 2), common, columns],
  ];
}

function broadcast(operands: readonly Dims[]): Dims {
  const rank = Math.max(0, ...operands.map((d) => d.length));
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
