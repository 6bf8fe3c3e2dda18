import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { floorDivInt, floorModInt, truncDivInt } from "../int-math.ts";

/** An expression as a function of its variables' values, in unbounded integers; NaN where it divides by zero. Truth is 1. */
export type CompiledExpr = (values: readonly number[]) => number;

/** Compiles an expression once, to evaluate it many times. `vars` says which value belongs to which variable. */
export function compileExpr(e: PrimExpr, vars: readonly AnyVar[]): CompiledExpr {
  switch (e.kind) {
    case "ir.IntImm": {
      const value = Number(e.value);
      return () => value;
    }
    case "tir.Var":
    case "tir.SizeVar": {
      const i = vars.indexOf(e);
      if (i < 0) throw new Error(`No value for \`${e.name}\`.`);
      return (v) => v[i] ?? NaN;
    }
    case "tir.Cast":
      return compileExpr(e.value, vars);
    case "tir.Not": {
      const a = compileExpr(e.a, vars);
      return (v) => 1 - a(v);
    }
    case "tir.Select": {
      const [c, t, f] = [compileExpr(e.condition, vars), compileExpr(e.trueValue, vars), compileExpr(e.falseValue, vars)];
      // Both values are computed, so that a fault in either is a fault of the whole.
      return (v) => {
        const [x, y, z] = [c(v), t(v), f(v)];
        return Number.isNaN(x + y + z) ? NaN : x === 1 ? y : z;
      };
    }
    default: {
      if (!("a" in e)) throw new Error(`No value for a ${e.kind}.`);
      const [a, b] = [compileExpr(e.a, vars), compileExpr(e.b, vars)];
      const f = operation(e.kind);
      return (v) => f(a(v), b(v));
    }
  }
}

function operation(kind: PrimExpr["kind"]): (a: number, b: number) => number {
  const compare = (f: (a: number, b: number) => boolean) => (a: number, b: number): number => (Number.isNaN(a + b) ? NaN : Number(f(a, b)));
  const divide = (f: (a: number, b: number) => number) => (a: number, b: number): number => (b === 0 || Number.isNaN(a + b) ? NaN : f(a, b));
  switch (kind) {
    case "tir.Add":
      return (a, b) => a + b;
    case "tir.Sub":
      return (a, b) => a - b;
    case "tir.Mul":
      return (a, b) => a * b + 0;
    case "tir.Div":
      return divide(truncDivInt);
    case "tir.Mod":
      return divide((a, b) => (a % b) + 0);
    case "tir.FloorDiv":
      return divide(floorDivInt);
    case "tir.FloorMod":
      return divide(floorModInt);
    case "tir.Min":
      return Math.min;
    case "tir.Max":
      return Math.max;
    case "tir.EQ":
      return compare((a, b) => a === b);
    case "tir.NE":
      return compare((a, b) => a !== b);
    case "tir.LT":
      return compare((a, b) => a < b);
    case "tir.LE":
      return compare((a, b) => a <= b);
    case "tir.GT":
      return compare((a, b) => a > b);
    case "tir.GE":
      return compare((a, b) => a >= b);
    case "tir.And":
      return (a, b) => a * b;
    case "tir.Or":
      return Math.max;
    default:
      throw new Error(`No value for a ${kind}.`);
  }
}

/** All combinations of values in the ranges, ends included. */
export function grid(ranges: readonly (readonly [min: number, max: number])[]): readonly (readonly number[])[] {
  return ranges.reduce<number[][]>((rows, [min, max]) => rows.flatMap((row) => Array.from({ length: max - min + 1 }, (_, i) => [...row, min + i])), [[]]);
}
