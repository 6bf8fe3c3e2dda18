import type { PrimExpr } from "../../ir/expr.ts";
import { floorDivInt, floorModInt, truncDivInt } from "../int-math.ts";

/** Values of variables, by identity. Vectors are lists. */
export type Bindings = ReadonlyMap<PrimExpr, number>;

/** The value of an expression in unbounded integers; NaN where it divides by zero. Truth is 1. Scalars only. */
export function evaluateExpr(e: PrimExpr, env: Bindings): number {
  switch (e.kind) {
    case "ir.IntImm":
      return Number(e.value);
    case "tir.Var":
    case "tir.SizeVar": {
      const value = env.get(e);
      if (value === undefined) throw new Error(`No value for \`${e.name}\`.`);
      return value;
    }
    case "tir.Cast":
      return evaluateExpr(e.value, env);
    case "tir.Not":
      return 1 - evaluateExpr(e.a, env);
    case "tir.Select":
      return choose(evaluateExpr(e.condition, env), evaluateExpr(e.trueValue, env), evaluateExpr(e.falseValue, env));
    case "tir.Call":
      if (e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else") {
        const [c, t, f] = e.args;
        if (c !== undefined && t !== undefined && f !== undefined) return evaluateExpr(evaluateExpr(c, env) === 1 ? t : f, env);
      }
      if (e.op.kind === "ir.Op" && e.op.name === "tir.likely" && e.args[0] !== undefined) return evaluateExpr(e.args[0], env);
      throw new Error("This call has no value here.");
    default:
      if (!("a" in e)) throw new Error(`No value for a ${e.kind}.`);
      return binary(e.kind, evaluateExpr(e.a, env), evaluateExpr(e.b, env));
  }
}

/** Both values are computed, so that a fault in either is a fault of the whole. */
function choose(condition: number, t: number, f: number): number {
  return Number.isNaN(condition) || Number.isNaN(t) || Number.isNaN(f) ? NaN : condition === 1 ? t : f;
}

function binary(kind: PrimExpr["kind"], a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  switch (kind) {
    case "tir.Add":
      return a + b;
    case "tir.Sub":
      return a - b;
    case "tir.Mul":
      return a * b + 0;
    case "tir.Div":
      return b === 0 ? NaN : truncDivInt(a, b);
    case "tir.Mod":
      return b === 0 ? NaN : (a % b) + 0;
    case "tir.FloorDiv":
      return b === 0 ? NaN : floorDivInt(a, b);
    case "tir.FloorMod":
      return b === 0 ? NaN : floorModInt(a, b);
    case "tir.Min":
      return Math.min(a, b);
    case "tir.Max":
      return Math.max(a, b);
    case "tir.EQ":
      return Number(a === b);
    case "tir.NE":
      return Number(a !== b);
    case "tir.LT":
      return Number(a < b);
    case "tir.LE":
      return Number(a <= b);
    case "tir.GT":
      return Number(a > b);
    case "tir.GE":
      return Number(a >= b);
    case "tir.And":
      return a * b;
    case "tir.Or":
      return Math.max(a, b);
    default:
      throw new Error(`No value for a ${kind}.`);
  }
}

/** All assignments of the variables in their ranges, ends included. */
export function* assignments(domains: readonly (readonly [PrimExpr, number, number])[]): Generator<Bindings> {
  const env = new Map<PrimExpr, number>();
  function* go(i: number): Generator<Bindings> {
    const next = domains[i];
    if (next === undefined) {
      yield env;
      return;
    }
    for (let value = next[1]; value <= next[2]; value++) {
      env.set(next[0], value);
      yield* go(i + 1);
    }
  }
  yield* go(0);
}

/** An expression as text, for failures. */
export function exprText(e: PrimExpr): string {
  const names: Partial<Record<PrimExpr["kind"], string>> = {
    "tir.Add": "+", "tir.Sub": "-", "tir.Mul": "*", "tir.FloorDiv": "//", "tir.FloorMod": "%", "tir.EQ": "==", "tir.NE": "!=",
    "tir.LT": "<", "tir.LE": "<=", "tir.GT": ">", "tir.GE": ">=", "tir.And": "&&", "tir.Or": "||",
  };
  switch (e.kind) {
    case "ir.IntImm":
    case "ir.FloatImm":
      return String(e.value);
    case "tir.Var":
    case "tir.SizeVar":
      return e.name;
    case "tir.Cast":
      return `${e.dtype}(${exprText(e.value)})`;
    case "tir.Not":
      return `!${exprText(e.a)}`;
    case "tir.Select":
      return `select(${[e.condition, e.trueValue, e.falseValue].map(exprText).join(", ")})`;
    case "tir.Ramp":
      return `ramp(${exprText(e.base)}, ${exprText(e.stride)}, ${e.lanes})`;
    case "tir.Broadcast":
      return `broadcast(${exprText(e.value)}, ${e.lanes})`;
    case "tir.Call":
      return `${e.op.name}(${e.args.map(exprText).join(", ")})`;
    default: {
      if (!("a" in e)) return e.kind;
      const op = names[e.kind];
      return op === undefined ? `${e.kind.slice(4).toLowerCase()}(${exprText(e.a)}, ${exprText(e.b)})` : `(${exprText(e.a)} ${op} ${exprText(e.b)})`;
    }
  }
}
