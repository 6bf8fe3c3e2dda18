import fc from "fast-check";
import type { AnyVar, BinaryKind, PrimExpr, Range } from "../../ir/expr.ts";
import { makeBinary, makeRange } from "../../ir/make-expr.ts";
import { add, constant, mul } from "../../ir/ops.ts";
import type { IntConstraints, IntConstraintsTransform } from "../int-constraints.ts";
import { compileExpr, grid } from "./compile-expr.ts";
import { exprText } from "./evaluate-expr.ts";

type CompareKind = Extract<BinaryKind, "tir.EQ" | "tir.LT" | "tir.LE" | "tir.GT" | "tir.GE">;

/** Systems of one to four comparisons of linear forms, over one variable or more of `vars`, each of a small range. */
export function linearSystems(vars: readonly AnyVar[], kinds: readonly CompareKind[]): fc.Arbitrary<IntConstraints> {
  const side = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: vars.length, maxLength: vars.length });
  const relation = fc.tuple(fc.constantFrom(...kinds), side, fc.integer({ min: -8, max: 8 }));
  const bounds = fc.array(fc.tuple(fc.integer({ min: -4, max: 2 }), fc.integer({ min: 1, max: 6 })), { minLength: vars.length, maxLength: vars.length });
  return fc.tuple(fc.integer({ min: 1, max: vars.length }), bounds, fc.array(relation, { minLength: 1, maxLength: 4 })).map(([count, ranges, relations]) => {
    const variables = vars.slice(0, count);
    const sum = (factors: readonly number[]): PrimExpr =>
      variables.reduce<PrimExpr>((e, v, i) => add(e, mul(v, constant(factors[i] ?? 0, "int32"))), constant(0, "int32"));
    return {
      variables,
      ranges: new Map(variables.map((v, i): [AnyVar, Range] => [v, makeRange(constant(ranges[i]?.[0] ?? 0, "int32"), constant(ranges[i]?.[1] ?? 1, "int32"))])),
      relations: relations.map(([kind, factors, c]) => makeBinary(kind, sum(factors), constant(c, "int32"))),
    };
  });
}

/** The values of the variables that meet everything: of a system whose ranges are constant, or lie within `within`. */
export function solutions(system: IntConstraints, within = 40): number[][] {
  const { variables, ranges } = system;
  const ends = variables.map((v): readonly [number, number] => {
    const range = ranges.get(v);
    if (range?.min.kind !== "ir.IntImm" || range.extent.kind !== "ir.IntImm") return [-within, within];
    return [Number(range.min.value), Number(range.min.value) + Number(range.extent.value) - 1];
  });
  const inRange = [...ranges].filter(([v]) => variables.includes(v)).map(([v, r]) => {
    const [value, min, extent] = [v, r.min, r.extent].map((e) => compileExpr(e, variables));
    return (p: readonly number[]): boolean => (value?.(p) ?? 0) >= (min?.(p) ?? 0) && (value?.(p) ?? 0) < (min?.(p) ?? 0) + (extent?.(p) ?? 0);
  });
  const holds = system.relations.map((r) => compileExpr(r, variables));
  return points(ends).filter((p) => inRange.every((f) => f(p)) && holds.every((f) => f(p) === 1));
}

function points(ends: readonly (readonly [number, number])[]): number[][] {
  if (ends.some(([min, max]) => max < min)) return [];
  return ends.length === 0 ? [[]] : grid(ends).map((p) => [...p]);
}

/** Fails unless the solutions of both sides of a transform are the same by its maps, there and back. */
export function expectSameSolutions({ src, dst, srcToDst, dstToSrc }: IntConstraintsTransform, system: IntConstraints): void {
  const text = (c: IntConstraints): string =>
    [...c.relations.map(exprText), ...[...c.ranges].map(([v, r]) => `${v.name} in ${exprText(r.min)}+${exprText(r.extent)}`)].join(", ");
  const fail = (what: string): never => {
    throw new Error(`${what}\n${text(system)}\n=> ${text(dst)}\n${[...srcToDst].map(([v, e]) => `${v.name} = ${exprText(e)}`).join(", ")}`);
  };
  const [before, after] = [solutions(src), solutions(dst)];
  const key = (p: readonly number[]): string => p.join(" ");
  if (srcToDst.size === 0 && dst.variables.length === 0) {
    if (before.length > 0) fail(`There is a solution: ${key(before[0] ?? [])}`);
    return;
  }
  const there = src.variables.map((v) => compileExpr(srcToDst.get(v) ?? v, dst.variables));
  const back = dst.variables.map((v) => compileExpr(dstToSrc.get(v) ?? v, src.variables));
  const found = new Set(after.map((p) => key(there.map((f) => f(p)))));
  if (found.size !== after.length) fail("Two solutions became one.");
  const wanted = new Set(before.map(key));
  for (const p of wanted) if (!found.has(p)) fail(`${p} is lost.`);
  for (const p of found) if (!wanted.has(p)) fail(`${p} is no solution.`);
  const known = new Set(after.map(key));
  for (const p of before) if (!known.has(key(back.map((f) => f(p))))) fail(`${key(p)} has no way back.`);
}
