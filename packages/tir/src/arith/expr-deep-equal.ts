import type { Node } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";

/**
 * True if two expressions are the same tree: same kinds and types, variables and buffers by identity. No algebra, no
 * renaming of bound variables (upstream's `tir.ExprDeepEqual`). Cheap: used at every step of the simplifier.
 */
export function exprDeepEqual(a: PrimExpr, b: PrimExpr): boolean {
  return a === b || equalTo(a, b, 0, undefined);
}

/** Below this depth pairs found equal are remembered: parts that are shared would be compared over and over. */
const maxPlainDepth = 14;

type EqualPairs = Map<PrimExpr, PrimExpr>;

function equal(a: PrimExpr, b: PrimExpr, depth: number, pairs: EqualPairs | undefined): boolean {
  if (a === b) return true;
  if (depth < maxPlainDepth) return equalTo(a, b, depth + 1, undefined);
  const known = pairs ?? new Map<PrimExpr, PrimExpr>();
  if (known.get(a) === b) return true;
  if (!equalTo(a, b, depth, known)) return false;
  known.set(a, b);
  return true;
}

function equalTo(a: PrimExpr, b: PrimExpr, depth: number, pairs: EqualPairs | undefined): boolean {
  if (a.kind !== b.kind || a.dtype !== b.dtype) return false;
  switch (a.kind) {
    case "tir.Var":
    case "tir.SizeVar":
      return false;
    case "ir.IntImm":
    case "tir.StringImm":
      return a.value === (b as typeof a).value;
    case "ir.FloatImm":
      return Object.is(a.value, (b as typeof a).value);
    case "tir.Cast":
      return equal(a.value, (b as typeof a).value, depth, pairs);
    case "tir.Not":
      return equal(a.a, (b as typeof a).a, depth, pairs);
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
    case "tir.Min":
    case "tir.Max":
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
    case "tir.And":
    case "tir.Or": {
      const other = b as typeof a;
      return equal(a.a, other.a, depth, pairs) && equal(a.b, other.b, depth, pairs);
    }
    default:
      return equalRare(a, b, depth, pairs);
  }
}

type RareExpr = Exclude<PrimExpr, { readonly kind: "tir.Var" | "tir.SizeVar" | "ir.IntImm" | "ir.FloatImm" | "tir.StringImm" | "tir.Cast" | "tir.Not" }>;

function equalRare(a: RareExpr, b: PrimExpr, depth: number, pairs: EqualPairs | undefined): boolean {
  switch (a.kind) {
    case "tir.Select": {
      const other = b as typeof a;
      return (
        equal(a.condition, other.condition, depth, pairs) &&
        equal(a.trueValue, other.trueValue, depth, pairs) &&
        equal(a.falseValue, other.falseValue, depth, pairs)
      );
    }
    case "tir.BufferLoad": {
      const other = b as typeof a;
      return a.buffer === other.buffer && equalLists(a.indices, other.indices, depth, pairs) && equalOptional(a.predicate, other.predicate, depth, pairs);
    }
    case "tir.ProducerLoad": {
      const other = b as typeof a;
      return a.producer === other.producer && equalLists(a.indices, other.indices, depth, pairs);
    }
    case "tir.Ramp": {
      const other = b as typeof a;
      return equal(a.base, other.base, depth, pairs) && equal(a.stride, other.stride, depth, pairs);
    }
    case "tir.Broadcast":
      return equal(a.value, (b as typeof a).value, depth, pairs);
    case "tir.Call": {
      const other = b as typeof a;
      return sameCallee(a.op, other.op) && equalLists(a.args, other.args, depth, pairs);
    }
    case "tir.Shuffle": {
      const other = b as typeof a;
      return equalLists(a.vectors, other.vectors, depth, pairs) && equalLists(a.indices, other.indices, depth, pairs);
    }
    case "tir.Let": {
      const other = b as typeof a;
      return a.bind === other.bind && equal(a.value, other.value, depth, pairs) && equal(a.body, other.body, depth, pairs);
    }
    default:
      return false;
  }
}

function sameCallee(a: Node, b: Node): boolean {
  if (a === b) return true;
  return a.kind === "ir.Op" && b.kind === "ir.Op" && "name" in a && "name" in b && a.name === b.name;
}

function equalOptional(a: PrimExpr | undefined, b: PrimExpr | undefined, depth: number, pairs: EqualPairs | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b, depth, pairs));
}

function equalLists(a: readonly PrimExpr[], b: readonly PrimExpr[], depth: number, pairs: EqualPairs | undefined): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    const y = b[i];
    if (x === undefined || y === undefined || !equal(x, y, depth, pairs)) return false;
  }
  return true;
}
