import { add, makeVar as makeTirVar, type PrimExpr } from "@verticil/tir";
import { expect, test } from "vitest";
import { makeFunction } from "./make-function.ts";
import { makeObjectStructInfo, makeSeqExpr, makeShapeStructInfo, makeTensorStructInfo, makeVar } from "./make.ts";
import { sameStructInfo } from "./same-struct-info.ts";
import type { StructInfo } from "./struct-info.ts";

const n = makeTirVar("n", "int64");
const m = makeTirVar("m", "int64");
const float = (...shape: readonly (PrimExpr | number)[]): StructInfo => makeTensorStructInfo(shape, "float32");

/** What a function of a parameter and of a value of the info `found` gives, where it is declared to give `declared`. */
function returns(param: StructInfo, declared: StructInfo | undefined, found: StructInfo): StructInfo {
  return makeFunction([makeVar("x", param)], makeSeqExpr([], makeVar("y", found)), declared).retStructInfo;
}

const [n4, ranked, object] = [float(n, 4), makeTensorStructInfo(2, "float32"), makeObjectStructInfo()];

test.each<readonly [string, StructInfo, StructInfo | undefined, StructInfo, StructInfo]>([
  ["what the body gives, where nothing is declared", n4, undefined, n4, n4],
  ["what the body gives, where it is more special", n4, ranked, n4, n4],
  ["what is declared, where it is more special", n4, n4, ranked, n4],
  ["what is declared, where nothing shows that the body gives it", n4, float(n, 4), float(m, 4), n4],
  ["a rank, where only the body knows the dimensions", n4, ranked, float(m, 4), ranked],
  ["what the body gives, where anything is declared", n4, object, float(add(n, 1), 4), float(add(n, 1), 4)],
  ["a rank, where a variable is the shape", makeShapeStructInfo(2), undefined, makeTensorStructInfo(makeVar("s", makeShapeStructInfo(2)), "float32"), ranked],
])("a function gives %s", (_, param, declared, found, expected) => {
  const info = returns(param, declared, found);
  expect(sameStructInfo(info, expected)).toBe(true);
});

test("what it gives is in the function's own type", () => {
  const func = makeFunction([makeVar("x", n4)], makeSeqExpr([], makeVar("y", n4)), ranked);
  expect(func.structInfo?.kind === "relax.FuncStructInfo" && func.structInfo.ret === func.retStructInfo).toBe(true);
});

test("nothing declared and nothing known", () => {
  expect(() => makeFunction([], makeSeqExpr([], makeVar("y")), undefined)).toThrow(/no struct info/);
});
