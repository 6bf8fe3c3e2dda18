import type { Node } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";

/**
 * True if two expressions are the same tree: same kinds and types, variables and buffers by identity. No algebra, no
 * renaming of bound variables (upstream's `tir.ExprDeepEqual`). Cheap: used at every step of the simplifier.
 */
export function exprDeepEqual(a: PrimExpr, b: PrimExpr): boolean {
  if (a === b) return true;
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
      return exprDeepEqual(a.value, (b as typeof a).value);
    case "tir.Not":
      return exprDeepEqual(a.a, (b as typeof a).a);
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
      return exprDeepEqual(a.a, other.a) && exprDeepEqual(a.b, other.b);
    }
    default:
      return equalRare(a, b);
  }
}

type RareExpr = Exclude<PrimExpr, { readonly kind: "tir.Var" | "tir.SizeVar" | "ir.IntImm" | "ir.FloatImm" | "tir.StringImm" | "tir.Cast" | "tir.Not" }>;

function equalRare(a: RareExpr, b: PrimExpr): boolean {
  switch (a.kind) {
    case "tir.Select": {
      const other = b as typeof a;
      return (
        exprDeepEqual(a.condition, other.condition) &&
        exprDeepEqual(a.trueValue, other.trueValue) &&
        exprDeepEqual(a.falseValue, other.falseValue)
      );
    }
    case "tir.BufferLoad": {
      const other = b as typeof a;
      return a.buffer === other.buffer && equalLists(a.indices, other.indices) && equalOptional(a.predicate, other.predicate);
    }
    case "tir.ProducerLoad": {
      const other = b as typeof a;
      return a.producer === other.producer && equalLists(a.indices, other.indices);
    }
    case "tir.Ramp": {
      const other = b as typeof a;
      return exprDeepEqual(a.base, other.base) && exprDeepEqual(a.stride, other.stride);
    }
    case "tir.Broadcast":
      return exprDeepEqual(a.value, (b as typeof a).value);
    case "tir.Call": {
      const other = b as typeof a;
      return sameCallee(a.op, other.op) && equalLists(a.args, other.args);
    }
    case "tir.Shuffle": {
      const other = b as typeof a;
      return equalLists(a.vectors, other.vectors) && equalLists(a.indices, other.indices);
    }
    case "tir.Let": {
      const other = b as typeof a;
      return a.bind === other.bind && exprDeepEqual(a.value, other.value) && exprDeepEqual(a.body, other.body);
    }
    default:
      return false;
  }
}

function sameCallee(a: Node, b: Node): boolean {
  if (a === b) return true;
  return a.kind === "ir.Op" && b.kind === "ir.Op" && "name" in a && "name" in b && a.name === b.name;
}

function equalOptional(a: PrimExpr | undefined, b: PrimExpr | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && exprDeepEqual(a, b));
}

function equalLists(a: readonly PrimExpr[], b: readonly PrimExpr[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    const y = b[i];
    if (x === undefined || y === undefined || !exprDeepEqual(x, y)) return false;
  }
  return true;
}
