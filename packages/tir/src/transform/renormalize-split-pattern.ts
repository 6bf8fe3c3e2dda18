import type { Pass } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeBroadcast, makeNot } from "../ir/make-expr.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, floorDiv, floorMod, lt, mul } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** How often a rewritten expression is rewritten again. */
const MAX_DEPTH = 5;

/**
 * Brings quotients and remainders of split loops to the form that a split by other factors has, so that
 * `(x % 64) // 8` is `(x // 8) % 8` everywhere (upstream's `RenormalizeSplitPattern`). Comparisons become `<` or its negation.
 */
export function renormalizeSplitPattern(): Pass {
  return bodyPass("RenormalizeSplitPattern", (body) => new Renormalizer().run(body));
}

/** A positive-length scalar or broadcast integer constant. */
interface Constant {
  readonly value: number;
  readonly like: PrimExpr;
}

function asConstant(e: PrimExpr): Constant | undefined {
  const value = asInt(e.kind === "tir.Broadcast" ? e.value : e);
  return value === undefined ? undefined : { value, like: e };
}

/** The same constant in the shape of another: a scalar or a broadcast. */
function constantLike(value: number, like: PrimExpr): PrimExpr {
  return like.kind === "tir.Broadcast" ? makeBroadcast(constant(value, like.value.dtype), like.lanes) : constant(value, like.dtype);
}

class Renormalizer {
  #depth = 0;

  run(body: Stmt): Stmt {
    const mapper: ChildMapper = { expr: (e) => this.#expr(e), stmt: (s) => mapStmtChildren(s, mapper) };
    return mapper.stmt(body);
  }

  #expr(e: PrimExpr): PrimExpr {
    switch (e.kind) {
      case "tir.FloorDiv":
        return this.#floorDiv(floorDiv(this.#expr(e.a), this.#expr(e.b)));
      case "tir.LE":
        return this.#expr(makeNot(makeBinary("tir.LT", e.b, e.a)));
      case "tir.GT":
        return this.#expr(makeBinary("tir.LT", e.b, e.a));
      case "tir.GE":
        return this.#expr(makeNot(makeBinary("tir.LT", e.a, e.b)));
      case "tir.LT": {
        const mapped = makeBinary("tir.LT", this.#expr(e.a), this.#expr(e.b));
        const bound = asInt(mapped.b);
        if (bound === undefined || bound <= 0) return mapped;
        return this.#again(lt(floorDiv(mapped.a, mapped.b), 1), mapped);
      }
      case "tir.Not":
        return negate(this.#expr(e.a));
      default:
        return mapExprChildren(e, { expr: (x) => this.#expr(x) });
    }
  }

  #again(e: PrimExpr, otherwise: PrimExpr): PrimExpr {
    if (this.#depth >= MAX_DEPTH) return otherwise.kind === e.kind ? e : otherwise;
    this.#depth++;
    const result = this.#expr(e);
    this.#depth--;
    return result;
  }

  #floorDiv(e: PrimExpr): PrimExpr {
    if (e.kind !== "tir.FloorDiv") return e;
    const c2 = asConstant(e.b);
    if (c2 === undefined) return e;
    if (e.a.kind === "tir.FloorMod") {
      const c3 = asConstant(e.a.b);
      if (c3 !== undefined && c2.value !== 0 && c3.value % c2.value === 0) {
        return this.#again(floorMod(floorDiv(e.a.a, c2.like), floorDiv(c3.like, c2.like)), e);
      }
    }
    return this.#divideSum(e.a, c2) ?? e;
  }

  /** `(x * c1 * g + y) // (c2 * g)` is `(x * c1 + y // g) // c2`; y may be a sum. */
  #divideSum(sum: PrimExpr, c2: Constant): PrimExpr | undefined {
    if (sum.kind !== "tir.Add" || c2.value <= 0) return undefined;
    const inner = sum.a;
    const direct = productOf(inner);
    const nested = direct === undefined && inner.kind === "tir.Add" ? productOf(inner.a) : undefined;
    const product = direct ?? nested;
    if (product === undefined || product.factor.value <= 0) return undefined;
    const rest = nested !== undefined && inner.kind === "tir.Add" ? add(inner.b, sum.b) : sum.b;
    const common = gcd(product.factor.value, c2.value);
    if (common <= 1) return undefined;
    const like = c2.like;
    const scaled = mul(product.x, constantLike(product.factor.value / common, product.factor.like));
    const dividend = add(scaled, floorDiv(rest, constantLike(common, like)));
    return this.#again(floorDiv(dividend, constantLike(c2.value / common, like)), sum);
  }
}

function productOf(e: PrimExpr): { readonly x: PrimExpr; readonly factor: Constant } | undefined {
  const factor = e.kind === "tir.Mul" ? asConstant(e.b) : undefined;
  return e.kind === "tir.Mul" && factor !== undefined ? { x: e.a, factor } : undefined;
}

function negate(a: PrimExpr): PrimExpr {
  switch (a.kind) {
    case "tir.Not":
      return a.a;
    case "tir.LE":
      return makeBinary("tir.LT", a.b, a.a);
    case "tir.GE":
      return makeBinary("tir.LT", a.a, a.b);
    case "tir.LT":
      return makeBinary("tir.LE", a.b, a.a);
    case "tir.GT":
      return makeBinary("tir.LE", a.a, a.b);
    default:
      return makeNot(a);
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
