import type { Pass } from "@verticil/ir-core";
import { Analyzer, add, constant, lt, mul, undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { computableAtCompileTime } from "../analysis/computable-at-compile-time.ts";
import { isVar } from "../analysis/variables.ts";
import { isCall, or, wildcard } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import type { RewriteContext } from "../dpl/rewrite-spec.ts";
import type { Expr, Function } from "../ir/expr.ts";
import { tirVarsInStructInfo } from "../ir/infer-call.ts";
import { shapeOf } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { rewritePass } from "./rewrite-functions.ts";

/**
 * Upstream's `AdjustMatmulOrder`: `(A * B) * C` or `A * (B * C)`, whichever needs fewer multiplications, or lets two weights be
 * multiplied beforehand. A transposed product counts as the product of the transposed. Sizes may be bounded by the
 * function's `tir_var_upper_bound`.
 */
export function adjustMatmulOrder(): Pass {
  return rewritePass("AdjustMatmulOrder", rewriterOf);
}

type Shape = readonly PrimExpr[];

function rewriterOf(func: Function): PatternMatchingRewriter {
  const early = computableAtCompileTime(func);
  const isEarly = (e: Expr): boolean => isVar(e) && early.has(e);
  const bounds = upperBounds(func);
  const [a, b, c] = [wildcard(), wildcard(), wildcard()];
  const matmul = (x: Parameters<typeof isCall>[1]): ReturnType<typeof isCall> => isCall("relax.matmul", x);
  const lhsFirst = matmul([matmul([a, b]), c]);
  const rhsFirst = matmul([a, matmul([b, c])]);
  const lhsTransposed = matmul([isCall("relax.permute_dims", [matmul([b, a])]), c]);
  const rhsTransposed = matmul([a, isCall("relax.permute_dims", [matmul([c, b])])]);
  return PatternMatchingRewriter.fromPattern(or(lhsFirst, rhsFirst, lhsTransposed, rhsTransposed), (expr, matches, ctx) => {
    const [ea, eb, ec] = [matches.get(a), matches.get(b), matches.get(c)];
    if (ea === undefined || eb === undefined || ec === undefined || (isEarly(ea) && isEarly(eb) && isEarly(ec))) return undefined;
    const [sa, sb, sc] = [ea, eb, ec].map((e) => shapeOf(structInfoOf(e)));
    if (sa === undefined || sb === undefined || sc === undefined) return undefined;
    const [turnLhs, turnRhs] = [matches.has(lhsTransposed), matches.has(rhsTransposed)];
    const isMatrix = (s: Shape): boolean => s.length === 2;
    if ((turnLhs && !(isMatrix(sa) && isMatrix(sb))) || (turnRhs && !(isMatrix(sb) && isMatrix(sc)))) return undefined;
    const turned = (e: Expr, s: Shape, turn: boolean): Operand => (turn ? { value: ctx.call("relax.permute_dims", [e]), shape: [...s].reverse() } : { value: e, shape: s });
    const operands = { a: turned(ea, sa, turnLhs), b: turned(eb, sb, turnLhs || turnRhs), c: turned(ec, sc, turnRhs) };
    const left = (): Expr => product(ctx, product(ctx, operands.a.value, operands.b.value), operands.c.value);
    const right = (): Expr => product(ctx, operands.a.value, product(ctx, operands.b.value, operands.c.value));
    if (!turnLhs && !turnRhs) {
      if (isEarly(ea) && isEarly(eb)) return sameOrder(matches.has(lhsFirst), expr, left);
      if (isEarly(eb) && isEarly(ec)) return sameOrder(matches.has(rhsFirst), expr, right);
    }
    const cheaper = cheaperOrder(operands.a.shape, operands.c.shape, bounds);
    if (cheaper === "left") return sameOrder(matches.has(lhsFirst), expr, left);
    return cheaper === "right" ? sameOrder(matches.has(rhsFirst), expr, right) : undefined;
  });
}

interface Operand {
  readonly value: Expr;
  readonly shape: Shape;
}

function sameOrder(already: boolean, expr: Expr, make: () => Expr): Expr {
  return already ? expr : make();
}

function product(ctx: RewriteContext, a: Expr, b: Expr): Expr {
  return ctx.call("relax.matmul", [a, b]);
}

interface Bounds {
  readonly least: ReadonlySet<TirVar>;
  readonly most: ReadonlyMap<TirVar, PrimExpr>;
}

function upperBounds(func: Function): Bounds {
  const vars = new Set<TirVar>();
  for (const p of func.params) if (p.structInfo !== undefined) tirVarsInStructInfo(p.structInfo, (d) => undefinedVars(d).forEach((v) => vars.add(v)));
  const given = func.attrs["tir_var_upper_bound"];
  const most = new Map<TirVar, PrimExpr>();
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    for (const [name, bound] of Object.entries(given)) {
      const value: unknown = typeof bound === "object" && bound !== null && "value" in bound ? bound.value : bound;
      for (const v of vars) if (v.name === name && (typeof value === "number" || typeof value === "bigint")) most.set(v, constant(Number(value), "int64"));
    }
  }
  return { least: vars, most };
}

/** Which product to form first, where that is known. `a` is N by R, `c` is M by B: N·M·(R+B) against (N+M)·R·B. */
function cheaperOrder(a: Shape, c: Shape, bounds: Bounds): "left" | "right" | undefined {
  const one = constant(1, "int64");
  const [n, r] = [a[a.length - 2] ?? one, a[a.length - 1] ?? one];
  const [m, batch] = c.length === 1 ? [c[0] ?? one, one] : [c[c.length - 2] ?? one, c[c.length - 1] ?? one];
  const analyzer = new Analyzer();
  for (const v of bounds.least) {
    const most = bounds.most.get(v);
    analyzer.bindBound(v, { min: 1, max: most?.kind === "ir.IntImm" ? Number(most.value) : Infinity });
  }
  const left = mul(add(r, batch), mul(n, m));
  const right = mul(add(m, n), mul(r, batch));
  if (analyzer.canProve(lt(left, right), "symbolicBound")) return "left";
  return analyzer.canProve(lt(right, left), "symbolicBound") ? "right" : undefined;
}
