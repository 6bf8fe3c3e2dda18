import type { PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { boundOfDType } from "./int-bound.ts";
import { gcd } from "./int-math.ts";
import { combine } from "./rules/compile-rule.ts";

/** The factors of a product, constants multiplied together. */
export interface Product {
  readonly factors: readonly PrimExpr[];
  readonly scale: number;
}

/** Takes a product apart. Constants that multiply out of the safe integers stay among the factors. */
export function productOf(e: PrimExpr): Product {
  const factors: PrimExpr[] = [];
  let scale = 1;
  const collect = (x: PrimExpr): void => {
    if (x.kind === "tir.Mul") {
      collect(x.a);
      collect(x.b);
    } else if (x.kind === "ir.IntImm" && typeof x.value === "number" && Number.isSafeInteger(scale * x.value)) scale *= x.value;
    else factors.push(x);
  };
  collect(e);
  return { factors, scale };
}

/** `a * b` with brackets to the left and the constant last (upstream's `MulAndNormalize`). */
export function orderedProduct(a: PrimExpr, b: PrimExpr): PrimExpr {
  const [p, q] = [productOf(a), productOf(b)];
  const scale = p.scale * q.scale;
  const { min, max } = boundOfDType(a.dtype);
  if (!Number.isSafeInteger(scale) || scale < min || scale > max) return combine("tir.Mul", a, b);
  return productToExpr([...p.factors, ...q.factors], scale, a);
}

function productToExpr(factors: readonly PrimExpr[], scale: number, like: PrimExpr): PrimExpr {
  let e: PrimExpr | undefined;
  for (const f of factors) e = e === undefined ? f : combine("tir.Mul", e, f);
  const c = constant(scale, like.dtype);
  return e === undefined ? c : combine("tir.Mul", e, c);
}

/**
 * What is left of two products without their common factors, and those:
 * `(a*x*c) / (b*x*c) = a / b`, `(a*x*c) % (b*x*c) = (a % b) * (x*c)`, for floored and truncated division alike.
 * Undefined if there is nothing in common, or the divisor is a constant.
 */
export function cancelProduct(
  lhs: PrimExpr,
  rhs: PrimExpr,
): { readonly lhs: PrimExpr; readonly rhs: PrimExpr; readonly common: PrimExpr } | undefined {
  if (rhs.kind === "ir.IntImm") return undefined;
  const [p, q] = [productOf(lhs), productOf(rhs)];
  const left = p.factors.slice();
  const right: PrimExpr[] = [];
  const common: PrimExpr[] = [];
  for (const f of q.factors) {
    const i = left.findIndex((x) => exprDeepEqual(x, f));
    if (i < 0) right.push(f);
    else {
      common.push(f);
      left.splice(i, 1);
    }
  }
  const g = gcd(p.scale, q.scale) || 1;
  if (common.length === 0 && g === 1) return undefined;
  return {
    lhs: productToExpr(left, p.scale / g, lhs),
    rhs: productToExpr(right, q.scale / g, lhs),
    common: productToExpr(common, g, lhs),
  };
}
