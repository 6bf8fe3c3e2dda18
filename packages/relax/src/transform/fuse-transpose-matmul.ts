import { at, definePass, mapFunctions, runPass, type Pass } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { broadcastShape, compute, reduceAxis, sum, type Tensor as TeTensor } from "@verticil/te";
import { cast, constant, isConstInt, mul, type PrimExpr } from "@verticil/tir";
import { isCall, wildcard } from "../dpl/pattern.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTe } from "../ir/call-te.ts";
import type { Expr } from "../ir/expr.ts";
import { isRelaxFunction, rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { compositeOf } from "./composite.ts";
import { fuseOpsByPattern, type PatternCheckContext } from "./fuse-ops-by-pattern.ts";

const COMPOSITE = "transpose_matmul_fuse";

/** Upstream's `FuseTransposeMatmul`: a product with a matrix that is transposed right before becomes one tensor program, `NT_matmul`. */
export function fuseTransposeMatmul(): Pass {
  const [x, w] = [wildcard(), wildcard()];
  const wT = isCall("relax.permute_dims", [w]);
  const fuse = fuseOpsByPattern([{ name: COMPOSITE, pattern: isCall("relax.matmul", [x, wT]), annotationPatterns: { w, x, wT }, check }], { bindConstants: false });
  return definePass("FuseTransposeMatmul", (module, ctx) => {
    const fused = runPass(fuse, module, ctx);
    const rewritten = rewriteModule(
      fused,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module: fused }),
      () => (value, { bb }) => {
        if (value.kind !== "relax.Call" || value.op.kind !== "ir.GlobalVar") return undefined;
        const callee = fused.functions.get(value.op);
        // A product of a tensor with itself has one operand.
        const [weights, data = weights] = value.args;
        if (!isRelaxFunction(callee) || compositeOf(callee) !== COMPOSITE || weights === undefined || data === undefined) return undefined;
        const out = callee.retStructInfo.kind === "relax.TensorStructInfo" ? callee.retStructInfo.dtype : undefined;
        // The transposed operand comes first: it is used first.
        return callTe(bb, (a, b) => transposedMatmul(a ?? b, b ?? a, out), [data, weights], { name: "NT_matmul" });
      },
    );
    return mapFunctions(rewritten, (func) => (compositeOf(func) === COMPOSITE ? undefined : func));
  });
}

/** True if just the last two axes change places, and the product is one of matrices of known shape. */
function check({ annotatedExpr }: PatternCheckContext): boolean {
  const [transpose, w, x] = [annotatedExpr.get("wT"), annotatedExpr.get("w"), annotatedExpr.get("x")];
  const rank = w === undefined ? -1 : rankOf(w);
  if (transpose?.kind !== "relax.Call" || rank < 2 || x === undefined || rankOf(x) < 1) return false;
  const axes = transpose.attrs["axes"];
  const wanted = Array.from({ length: rank }, (_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  return Array.isArray(axes) ? wanted.every((a, i) => (Number(axes[i]) + rank) % rank === a) : rank === 2;
}

function rankOf(e: Expr): number {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" && info.shape?.kind === "relax.ShapeExpr" && info.dtype !== undefined ? info.ndim : -1;
}

/** `a` times `b` transposed: rows of the one with rows of the other. */
function transposedMatmul(a: TeTensor | undefined, b: TeTensor | undefined, outDType: ScalarDType | undefined): TeTensor {
  if (a === undefined || b === undefined) throw new TypeError("internal: a product has two operands");
  const rows = a.ndim > 1;
  const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const shape = [...batch, ...(rows ? [at(a.shape, a.ndim - 2)] : []), at(b.shape, b.ndim - 2)];
  const k = reduceAxis(at(a.shape, a.ndim - 1), "k");
  const stackAt = (t: TeTensor, i: readonly PrimExpr[]): readonly PrimExpr[] =>
    t.shape.slice(0, -2).map((d, n) => (isConstInt(d, 1) ? constant(0, d.dtype) : at(i, n - (t.ndim - 2) + batch.length)));
  return compute(
    shape,
    (...i) => {
      const left = a.at(...stackAt(a, i), ...(rows ? [at(i, batch.length)] : []), k.var);
      const right = b.at(...stackAt(b, i), at(i, i.length - 1), k.var);
      return sum(outDType === undefined ? mul(left, right) : mul(cast(outDType, left), cast(outDType, right)), k);
    },
    "NT_matmul",
    { axes: "i" },
  );
}
