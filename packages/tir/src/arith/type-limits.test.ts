import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";

// Values at the limits of a type, and beyond what doubles hold: what is computed without overflow keeps its value.

type IndexType = "int32" | "int64";

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
}

const operations: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": (a, b) => a / b,
  "tir.Mod": (a, b) => a % b,
  "tir.FloorDiv": floorDiv,
  "tir.FloorMod": (a, b) => a - floorDiv(a, b) * b,
  "tir.Min": (a, b) => (a < b ? a : b),
  "tir.Max": (a, b) => (a > b ? a : b),
  "tir.LT": (a, b) => BigInt(a < b),
  "tir.LE": (a, b) => BigInt(a <= b),
  "tir.GT": (a, b) => BigInt(a > b),
  "tir.GE": (a, b) => BigInt(a >= b),
  "tir.EQ": (a, b) => BigInt(a === b),
  "tir.NE": (a, b) => BigInt(a !== b),
  "tir.And": (a, b) => a & b,
  "tir.Or": (a, b) => a | b,
};

const bitsOf = (e: PrimExpr): number => (e.dtype === "int64" ? 64 : e.dtype === "bool" ? 1 : 32);

/** The value in arithmetic that wraps around, as at run time. Divisions by zero throw. */
function evaluate(e: PrimExpr, env: ReadonlyMap<PrimExpr, bigint>): bigint {
  const known = env.get(e);
  if (known !== undefined) return known;
  if (e.kind === "ir.IntImm") return BigInt(e.value);
  if (e.kind === "tir.Not") return 1n - evaluate(e.a, env);
  if (e.kind === "tir.Cast") return BigInt.asIntN(bitsOf(e), evaluate(e.value, env));
  if (e.kind === "tir.Select") return evaluate(evaluate(e.condition, env) === 1n ? e.trueValue : e.falseValue, env);
  const f = operations[e.kind];
  if (f === undefined || !("a" in e)) throw new Error(`No value for a ${e.kind}.`);
  const value = f(evaluate(e.a, env), evaluate(e.b, env));
  return e.dtype === "bool" ? value : BigInt.asIntN(bitsOf(e), value);
}

/** More than anything that the terms of the expression add up to, in whichever order. */
function magnitude(e: PrimExpr, env: ReadonlyMap<PrimExpr, bigint>): bigint {
  const known = env.get(e) ?? (e.kind === "ir.IntImm" ? BigInt(e.value) : undefined);
  if (known !== undefined) return known < 0n ? -known : known;
  if (!("a" in e) || !("b" in e)) throw new Error(`No magnitude for a ${e.kind}.`);
  const [a, b] = [magnitude(e.a, env), magnitude(e.b, env)];
  return e.kind === "tir.Mul" ? a * b : a + b;
}

function limits(dtype: IndexType): readonly bigint[] {
  const half = dtype === "int64" ? 2n ** 63n : 2n ** 31n;
  const around = dtype === "int64" ? [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 58n + 1n, -(2n ** 59n) + 3n, 2n ** 32n] : [2n ** 28n + 1n, 3n - 2n ** 27n, 65537n];
  return [half - 1n, half - 2n, half / 2n, half / 3n, -half, 1n - half, -half / 2n, ...around, 0n, 1n, 2n, 3n, 7n, -1n, -2n, -5n];
}

for (const dtype of ["int32", "int64"] as const) {
  const values = limits(dtype);
  const half = dtype === "int64" ? 2n ** 63n : 2n ** 31n;
  const vars = [makeVar("x", dtype), makeVar("y", dtype)] as const;
  const leaf = fc.oneof(fc.constantFrom<PrimExpr>(...vars), fc.constantFrom(...values).map((v) => constant(v, dtype)));
  const { int, bool } = fc.letrec<{ int: PrimExpr; bool: PrimExpr }>((tie) => ({
    int: fc.oneof(
      { maxDepth: 4, depthIdentifier: "limits" },
      leaf,
      fc.tuple(fc.constantFrom("tir.Add", "tir.Sub", "tir.Mul", "tir.Min", "tir.Max", "tir.Add", "tir.Sub", "tir.Div", "tir.Mod", "tir.FloorDiv", "tir.FloorMod"), tie("int"), tie("int")).map(([k, a, b]) => makeBinary(k as "tir.Add", a, b)),
    ),
    bool: fc.tuple(fc.constantFrom("tir.LT", "tir.LE", "tir.GT", "tir.GE", "tir.EQ", "tir.NE"), tie("int"), tie("int")).map(([k, a, b]) => makeBinary(k as "tir.LT", a, b)),
  }));

  /** What the expression is at each pair of values where nothing overflows, in whichever order it is computed. */
  const points = (e: PrimExpr): readonly (readonly [ReadonlyMap<PrimExpr, bigint>, bigint])[] =>
    values.flatMap((x) =>
      values.flatMap((y) => {
        const env = new Map<PrimExpr, bigint>([[vars[0], x], [vars[1], y]]);
        try {
          return magnitude(e, env) < half ? [[env, evaluate(e, env)] as const] : [];
        } catch (error) {
          if (error instanceof RangeError) return [];
          throw error;
        }
      }),
    );

  test.each(["simplify", "rewriteSimplify", "canonicalSimplify"] as const)(`%s keeps what ${dtype} expressions are without overflow`, (method) => {
    fc.assert(
      fc.property(fc.oneof(int, bool), (e) => {
        const after = new Analyzer()[method](e);
        if (after === e) return;
        for (const [env, value] of points(e)) {
          const got = evaluate(after, env);
          if (got !== value) throw new Error(`${exprText(e)} is ${value}, but ${exprText(after)} is ${got} at ${[...env.values()].join(", ")}`);
        }
      }),
      fuzzing(71, 1200),
    );
  });

  test(`bounds, moduli and proofs hold of ${dtype} at its limits`, () => {
    fc.assert(
      fc.property(int, bool, fc.constantFrom(...values), fc.constantFrom(...values), (e, claim, p, q) => {
        const analyzer = new Analyzer();
        const [low, high] = p < q ? [p, q] : [q, p];
        const isBound = high - low + 1n < half;
        if (isBound) analyzer.bind(vars[0] as AnyVar, makeRange(constant(low, dtype), constant(high - low + 1n, dtype)));
        const inside = (env: ReadonlyMap<PrimExpr, bigint>): boolean => !isBound || (env.get(vars[0])! >= low && env.get(vars[0])! <= high);
        const bound = analyzer.constIntBound(e);
        const { coeff, base } = analyzer.modularSet(e);
        for (const [env, value] of points(e)) {
          if (!inside(env)) continue;
          const at = `${exprText(e)} is ${value} at ${[...env.values()].join(", ")}`;
          // Ends that are no safe integers are rounded to the next double.
          expect(Number(value) >= bound.min && Number(value) <= bound.max, `${at}, not within ${bound.min}..${bound.max}`).toBe(true);
          if (coeff === 0) expect(Number(value), `${at}, not the constant`).toBe(base);
          else if (coeff > 1) expect((value - BigInt(base)) % BigInt(coeff), `${at}, not ${coeff}k + ${base}`).toBe(0n);
        }
        if (analyzer.canProve(claim)) {
          for (const [env, value] of points(claim)) if (inside(env)) expect(value, `${exprText(claim)} at ${[...env.values()].join(", ")}`).toBe(1n);
        }
      }),
      fuzzing(72, 300),
    );
  });
}
