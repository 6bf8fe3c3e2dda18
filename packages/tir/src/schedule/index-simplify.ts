import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapExpr } from "../ir/mutate.ts";
import { add, and, asInt, constant, floorDiv, floorMod, ge, lt, mul, sub } from "../ir/ops.ts";
import { collectSums, fromLinear, toLinear, type LinearForm } from "../analysis/linear-form.ts";
import type { For } from "../ir/stmt.ts";

/** Least and greatest value of variables, as numbers. */
export type Bounds = ReadonlyMap<AnyVar, readonly [low: number, high: number]>;

/** The bounds of loop variables whose loops have constant bounds; the others are left out. */
export function boundsOfLoops(loops: Iterable<Pick<For, "loopVar" | "min" | "extent">>): Map<AnyVar, readonly [number, number]> {
  const out = new Map<AnyVar, readonly [number, number]>();
  for (const { loopVar, min, extent } of loops) {
    const low = asInt(min);
    const n = asInt(extent);
    if (low !== undefined && n !== undefined) out.set(loopVar, [low, low + n - 1]);
  }
  return out;
}

/** The range of an integer expression, or undefined if it is not known. */
export function boundsOf(e: PrimExpr, bounds: Bounds): readonly [number, number] | undefined {
  const form = toLinear(e);
  let low = form.offset;
  let high = form.offset;
  for (const { atom, coeff } of form.terms) {
    const range = atomBounds(atom, bounds);
    if (range === undefined) return undefined;
    low += coeff * (coeff > 0 ? range[0] : range[1]);
    high += coeff * (coeff > 0 ? range[1] : range[0]);
  }
  return [low, high];
}

function atomBounds(e: PrimExpr, bounds: Bounds): readonly [number, number] | undefined {
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
      return bounds.get(e);
    case "tir.FloorDiv":
    case "tir.FloorMod": {
      const divisor = asInt(e.b);
      if (divisor === undefined || divisor <= 0) return undefined;
      const a = boundsOf(e.a, bounds);
      if (e.kind === "tir.FloorDiv") return a && [Math.floor(a[0] / divisor), Math.floor(a[1] / divisor)];
      return a && a[0] >= 0 && a[1] < divisor ? a : [0, divisor - 1];
    }
    case "tir.Min":
    case "tir.Max": {
      const a = boundsOf(e.a, bounds);
      const b = boundsOf(e.b, bounds);
      const f = e.kind === "tir.Min" ? Math.min : Math.max;
      return a && b && [f(a[0], b[0]), f(a[1], b[1])];
    }
    case "tir.Cast":
      return boundsOf(e.value, bounds);
    default:
      return undefined;
  }
}

/** Index arithmetic in a short form: sums collected, divisions and remainders resolved where the bounds decide them. */
export function simplifyIndex(e: PrimExpr, bounds: Bounds): PrimExpr {
  return collectSums(mapExpr(e, (x) => simplifyNode(x, bounds)));
}

function simplifyNode(e: PrimExpr, bounds: Bounds): PrimExpr {
  switch (e.kind) {
    case "tir.FloorDiv":
    case "tir.FloorMod": {
      const divisor = asInt(e.b);
      return divisor === undefined || divisor <= 0 ? e : divide(e.kind, collectSums(e.a), divisor, bounds);
    }
    case "tir.Add":
      return recombine(add(e.a, e.b));
    case "tir.Mul":
      return mul(e.a, e.b);
    case "tir.Sub":
      return sub(e.a, e.b);
    case "tir.And":
      return and(e.a, e.b);
    case "tir.LT": {
      const d = boundsOf(sub(e.a, e.b), bounds);
      if (d !== undefined && d[1] < 0) return constant(1, "bool");
      if (d !== undefined && d[0] >= 0) return constant(0, "bool");
      return lt(collectSums(e.a), collectSums(e.b));
    }
    case "tir.GE": {
      const d = boundsOf(sub(e.a, e.b), bounds);
      if (d !== undefined && d[0] >= 0) return constant(1, "bool");
      if (d !== undefined && d[1] < 0) return constant(0, "bool");
      return ge(collectSums(e.a), collectSums(e.b));
    }
    default:
      return e;
  }
}

function divide(kind: "tir.FloorDiv" | "tir.FloorMod", a: PrimExpr, divisor: number, bounds: Bounds): PrimExpr {
  const form = toLinear(a);
  const multiples = form.terms.filter((t) => t.coeff % divisor === 0);
  const rest: LinearForm = { terms: form.terms.filter((t) => t.coeff % divisor !== 0), offset: form.offset };
  const remainder = fromLinear(rest, a.dtype);
  const range = boundsOf(remainder, bounds);
  const q = range && Math.floor(range[0] / divisor);
  if (range === undefined || q !== Math.floor(range[1] / divisor) || q === undefined) {
    if (multiples.length === 0) return kind === "tir.FloorDiv" ? divideNested(a, divisor) : floorMod(a, constant(divisor, a.dtype));
    if (kind === "tir.FloorMod") return divide(kind, remainder, divisor, bounds);
    return add(quotientOf(multiples, divisor, 0, a), divide(kind, remainder, divisor, bounds));
  }
  if (kind === "tir.FloorMod") return fromLinear({ ...rest, offset: rest.offset - q * divisor }, a.dtype);
  return quotientOf(multiples, divisor, q, a);
}

function quotientOf(terms: LinearForm["terms"], divisor: number, offset: number, like: PrimExpr): PrimExpr {
  return fromLinear({ terms: terms.map((t) => ({ atom: t.atom, coeff: t.coeff / divisor })), offset }, like.dtype);
}

/** `(x // a) // b` is `x // (a*b)`. */
function divideNested(a: PrimExpr, divisor: number): PrimExpr {
  const inner = a.kind === "tir.FloorDiv" ? asInt(a.b) : undefined;
  if (a.kind === "tir.FloorDiv" && inner !== undefined && inner > 0) return floorDiv(a.a, constant(inner * divisor, a.dtype));
  return floorDiv(a, constant(divisor, a.dtype));
}

/** `(x // c) * c + x % c` is `x`. */
function recombine(e: PrimExpr): PrimExpr {
  const form = toLinear(e);
  for (const mod of form.terms) {
    if (mod.atom.kind !== "tir.FloorMod") continue;
    const c = asInt(mod.atom.b);
    const operand = mod.atom.a;
    if (c === undefined) continue;
    const quotient = collectSums(divide("tir.FloorDiv", operand, c, new Map()));
    const q = toLinear(quotient);
    if (q.terms.length !== 1 || q.offset !== 0) continue;
    const atom = q.terms[0];
    if (atom === undefined) continue;
    const match = form.terms.find((t) => t.coeff === mod.coeff * c * atom.coeff && sameAtom(t.atom, atom.atom));
    if (match === undefined) continue;
    const others = form.terms.filter((t) => t !== match && t !== mod);
    return recombine(add(fromLinear({ terms: others, offset: form.offset }, e.dtype), mul(operand, constant(mod.coeff, e.dtype))));
  }
  return e;
}

function sameAtom(a: PrimExpr, b: PrimExpr): boolean {
  return toLinear(sub(a, b)).terms.length === 0;
}
