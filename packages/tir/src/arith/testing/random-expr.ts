import fc from "fast-check";
import type { PrimExpr } from "../../ir/expr.ts";
import { makeBinary, makeNot, makeSelect } from "../../ir/make-expr.ts";
import { constant } from "../../ir/ops.ts";

const arithKinds = ["tir.Add", "tir.Sub", "tir.Mul", "tir.Min", "tir.Max", "tir.Add", "tir.Sub", "tir.Mul"] as const;
const divisionKinds = ["tir.Div", "tir.Mod", "tir.FloorDiv", "tir.FloorMod"] as const;
const compareKinds = ["tir.EQ", "tir.NE", "tir.LT", "tir.LE", "tir.GT", "tir.GE"] as const;
const logicKinds = ["tir.And", "tir.Or"] as const;

/** Random integer expressions over `vars`, and truth values over those; they shrink. */
export function randomExprs(vars: readonly PrimExpr[], dtype: "int32" | "int64" = "int32"): {
  readonly int: fc.Arbitrary<PrimExpr>;
  readonly bool: fc.Arbitrary<PrimExpr>;
} {
  const number = fc.oneof(fc.integer({ min: -6, max: 9 }), fc.constantFrom(2, 3, 4, 8, 12, 16)).map((n) => constant(n, dtype));
  const nonZero = fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 12, 16, -1, -2, -3, -4).map((n) => constant(n, dtype));
  const leaf = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...vars) }, { weight: 1, arbitrary: number });
  const { int, bool } = fc.letrec<{ int: PrimExpr; bool: PrimExpr }>((tie) => ({
    int: fc.oneof(
      { maxDepth: 4, depthIdentifier: "int" },
      leaf,
      { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...arithKinds), tie("int"), tie("int")).map(([k, a, b]) => makeBinary(k, a, b)) },
      { weight: 2, arbitrary: fc.tuple(tie("int"), nonZero).map(([a, c]) => makeBinary("tir.Mul", a, c)) },
      { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...divisionKinds), tie("int"), nonZero).map(([k, a, b]) => makeBinary(k, a, b)) },
      fc.tuple(fc.constantFrom(...divisionKinds), tie("int"), tie("int")).map(([k, a, b]) => makeBinary(k, a, b)),
      fc.tuple(tie("bool"), tie("int"), tie("int")).map(([c, t, f]) => makeSelect(c, t, f)),
    ),
    bool: fc.oneof(
      { maxDepth: 3, depthIdentifier: "bool" },
      fc.tuple(fc.constantFrom(...compareKinds), tie("int"), tie("int")).map(([k, a, b]) => makeBinary(k, a, b)),
      fc.tuple(fc.constantFrom(...logicKinds), tie("bool"), tie("bool")).map(([k, a, b]) => makeBinary(k, a, b)),
      tie("bool").map((a) => makeNot(a)),
    ),
  }));
  return { int, bool };
}
