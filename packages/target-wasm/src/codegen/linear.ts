import { parseDType, type DType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { FuncContext } from "./context.ts";
import type { Graph } from "./graph.ts";
import { domainOf, single } from "./lanes.ts";
import { i32Of } from "./fold.ts";
import type { Value } from "./value.ts";

/** `Σ coefficient · term + constant` modulo 2^32: all that addresses need of an integer. Terms are i32 values. */
export interface Linear {
  readonly terms: ReadonlyMap<Value, number>;
  readonly constant: number;
}

export function constantLinear(constant: number): Linear {
  return { terms: new Map(), constant: constant | 0 };
}

export function termLinear(term: Value): Linear {
  const constant = i32Of(term);
  return constant === undefined ? { terms: new Map([[term, 1]]), constant: 0 } : constantLinear(constant);
}

export function addLinear(a: Linear, b: Linear, sign: 1 | -1 = 1): Linear {
  const terms = new Map(a.terms);
  for (const [term, coefficient] of b.terms) {
    const sum = ((terms.get(term) ?? 0) + sign * coefficient) | 0;
    if (sum === 0) terms.delete(term);
    else terms.set(term, sum);
  }
  return { terms, constant: (a.constant + sign * b.constant) | 0 };
}

export function scaleLinear(a: Linear, factor: number): Linear {
  if (factor === 1) return a;
  const terms = new Map<Value, number>();
  for (const [term, coefficient] of a.terms) {
    const product = Math.imul(coefficient, factor);
    if (product !== 0) terms.set(term, product);
  }
  return { terms, constant: Math.imul(a.constant, factor) };
}

export function sameTerms(a: Linear, b: Linear): boolean {
  if (a.terms.size !== b.terms.size) return false;
  for (const [term, coefficient] of a.terms) if (b.terms.get(term) !== coefficient) return false;
  return true;
}

/** The product; a value of its own unless one side is constant. */
export function mulLinear(graph: Graph, a: Linear, b: Linear): Linear {
  if (a.terms.size === 0) return scaleLinear(b, a.constant);
  if (b.terms.size === 0) return scaleLinear(a, b.constant);
  return termLinear(graph.op("i32.mul", [sumLinear(graph, a), sumLinear(graph, b)]));
}

/** Types whose arithmetic is exact modulo 2^32. */
export function isLinearType(dtype: DType): boolean {
  const { bits, lanes, code } = parseDType(dtype);
  return lanes === 1 && bits >= 32 && (code === "int" || code === "uint");
}

/** A scalar integer expression as a sum. */
export function linearOf(cx: FuncContext, e: PrimExpr): Linear {
  if (!isLinearType(e.dtype)) return opaque(cx, e);
  switch (e.kind) {
    case "ir.IntImm":
      return constantLinear(Number(BigInt.asIntN(32, BigInt(e.value))));
    case "tir.Add":
      return addLinear(linearOf(cx, e.a), linearOf(cx, e.b));
    case "tir.Sub":
      return addLinear(linearOf(cx, e.a), linearOf(cx, e.b), -1);
    case "tir.Mul":
      return mulLinear(cx.graph, linearOf(cx, e.a), linearOf(cx, e.b));
    case "tir.Cast":
      return isLinearType(e.value.dtype) ? linearOf(cx, e.value) : opaque(cx, e);
    case "tir.Var":
    case "tir.SizeVar":
      return cx.env.get(e)?.linear ?? opaque(cx, e);
    default:
      return opaque(cx, e);
  }
}

function opaque(cx: FuncContext, e: PrimExpr): Linear {
  const value = single(cx.expr(e));
  if (domainOf(e.dtype) === "float") throw new Error(`internal: an index of type ${e.dtype}`);
  return termLinear(value.type === "i64" ? cx.graph.op("i32.wrap_i64", [value]) : value);
}

/** Terms from the outermost region to the innermost, so that every partial sum can stay outside of what comes after. */
export function orderedTerms(a: Linear): readonly (readonly [Value, number])[] {
  return [...a.terms].sort(([x], [y]) => x.home.depth - y.home.depth || Number(y.kind === "counter") - Number(x.kind === "counter") || x.id - y.id);
}

/** The sum as an i32. */
export function sumLinear(graph: Graph, a: Linear): Value {
  let sum: Value | undefined;
  for (const [term, coefficient] of orderedTerms(a)) {
    if (sum !== undefined && coefficient < 0 && coefficient > -(2 ** 31)) {
      sum = graph.op("i32.sub", [sum, graph.op("i32.mul", [term, graph.i32(-coefficient)])]);
      continue;
    }
    const product = graph.op("i32.mul", [term, graph.i32(coefficient)]);
    sum = sum === undefined ? product : graph.op("i32.add", [sum, product]);
  }
  if (sum === undefined) return graph.i32(a.constant);
  return a.constant === 0 ? sum : graph.op("i32.add", [sum, graph.i32(a.constant)]);
}

/** An address: a base on which loads and stores put a constant offset. */
export interface Address {
  readonly base: Value;
  readonly offset: number;
}

/**
 * The address `pointer + scale · index`. The constant part goes into the instruction's offset where the rest cannot be
 * negative (offsets do not wrap around); in the innermost loops the base is a pointer that grows with each iteration.
 */
export function addressOf(graph: Graph, pointer: Value, index: Linear, scale: number): Address {
  const scaled = scaleLinear(index, scale);
  const rising = [...scaled.terms].every(([term, coefficient]) => coefficient > 0 && term.range !== undefined && term.range.lo >= 0);
  const offset = rising && scaled.constant >= 0 ? scaled.constant : 0;
  let base = pointer;
  if (offset !== scaled.constant) base = graph.op("i32.add", [base, graph.i32(scaled.constant)]);
  for (const [term, coefficient] of orderedTerms(scaled)) {
    if (term.kind === "counter" && !term.loop.hasLoops && base.home.depth < term.loop.depth) {
      base = graph.induction(term.loop, base, coefficient);
    } else {
      base = graph.op("i32.add", [base, graph.op("i32.mul", [term, graph.i32(coefficient)])]);
    }
  }
  return { base, offset };
}
