import { add, constant, makeVar, mul } from "@verticil/tir";
import { expect, test } from "vitest";
import { eraseStructInfo } from "../ir/erase-struct-info.ts";
import { dimensionContext } from "../ir/infer-call.ts";
import { makeFuncStructInfo, makeObjectStructInfo, makePrimStructInfo, makeShapeStructInfo, makeTensorStructInfo, makeTupleStructInfo } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoText } from "../script/struct-info-text.ts";
import { isBaseOf, structInfoBaseCheck, type BaseCheck } from "./struct-info-base-check.ts";
import { structInfoLca } from "./struct-info-lca.ts";

const ctx = dimensionContext();
const [n, m] = [makeVar("n", "int64"), makeVar("m", "int64")];
const twice = mul(n, constant(2, "int64"));

const object = makeObjectStructInfo();
const tensors = [
  makeTensorStructInfo(-1),
  makeTensorStructInfo(-1, "float32"),
  makeTensorStructInfo(2),
  makeTensorStructInfo(2, "float32"),
  makeTensorStructInfo([n, m], "float32"),
  makeTensorStructInfo([n, 4], "float32"),
  makeTensorStructInfo([n, 4], "int32"),
  makeTensorStructInfo([2, 4], "float32"),
  makeTensorStructInfo([add(n, n), 4], "float32"),
  makeTensorStructInfo([twice, 4], "float32"),
  makeTensorStructInfo(3, "float32"),
];
const leaves: readonly StructInfo[] = [
  object,
  ...tensors,
  makeShapeStructInfo(-1),
  makeShapeStructInfo(2),
  makeShapeStructInfo([n, 4]),
  makeShapeStructInfo([m, 4]),
  makePrimStructInfo("int64"),
  makePrimStructInfo("int64", n),
  makePrimStructInfo("float32"),
];
const infos: readonly StructInfo[] = [
  ...leaves,
  makeTupleStructInfo([]),
  ...leaves.slice(0, 8).map((i) => makeTupleStructInfo([i, makePrimStructInfo("int64")])),
  makeFuncStructInfo(undefined, object, { purity: false }),
  makeFuncStructInfo([makeTensorStructInfo([n, 4], "float32")], makeTensorStructInfo([n, 4], "float32")),
  makeFuncStructInfo([makeTensorStructInfo([n, 4], "float32")], makeTensorStructInfo(2, "float32"), { purity: false }),
];

const pairs = infos.flatMap((a) => infos.map((b) => [a, b] as const));
const same = (a: StructInfo, b: StructInfo): boolean => isBaseOf(a, b, ctx) && isBaseOf(b, a, ctx);
const text = (...of: readonly StructInfo[]): string => of.map(structInfoText).join(" and ");

test("what both have in common holds of both, whichever comes first", () => {
  for (const [a, b] of pairs) {
    const lca = structInfoLca(a, b, ctx);
    expect(isBaseOf(lca, a, ctx) && isBaseOf(lca, b, ctx), `${structInfoText(lca)} of ${text(a, b)}`).toBe(true);
    expect(same(lca, structInfoLca(b, a, ctx)), text(a, b)).toBe(true);
  }
});

test("it is no less than it may be: of a value and something more general it is that", () => {
  for (const [a, b] of pairs) if (isBaseOf(a, b, ctx)) expect(same(structInfoLca(a, b, ctx), a), text(a, b)).toBe(true);
});

test("being more general is an order", () => {
  for (const a of infos) expect(isBaseOf(a, a, ctx), text(a)).toBe(true);
  for (const [a, b] of pairs) {
    if (!isBaseOf(a, b, ctx)) continue;
    for (const c of infos) if (isBaseOf(b, c, ctx)) expect(isBaseOf(a, c, ctx), text(a, b, c)).toBe(true);
  }
});

test("without sizes that are unknown outside less is said, and nothing else", () => {
  for (const info of infos) {
    const erased = eraseStructInfo(info, (d) => d.kind === "ir.IntImm");
    expect(isBaseOf(erased, info, ctx), text(erased, info)).toBe(true);
    expect(eraseStructInfo(info, () => true)).toBe(info);
    expect(erased.kind).toBe(info.kind);
  }
});

test.each<readonly [StructInfo, StructInfo, BaseCheck]>([
  [makeTensorStructInfo(2, "float32"), makeTensorStructInfo([n, 4], "float32"), "always"],
  [makeTensorStructInfo([n, 4], "float32"), makeTensorStructInfo(2, "float32"), "unproven"],
  [makeTensorStructInfo(2, "float32"), makeTensorStructInfo(-1, "float32"), "narrowing"],
  [makeTensorStructInfo([n, 4], "float32"), makeTensorStructInfo([m, 4], "float32"), "unproven"],
  [makeTensorStructInfo([n, 4], "float32"), makeTensorStructInfo([n, 5], "float32"), "never"],
  [makeTensorStructInfo([twice, 4], "float32"), makeTensorStructInfo([add(n, n), 4], "float32"), "always"],
  [makeTensorStructInfo(2, "float32"), makeTensorStructInfo(2, "int32"), "never"],
  [makeShapeStructInfo(2), makeTensorStructInfo(2), "never"],
  [makePrimStructInfo("int64"), makePrimStructInfo("int64", n), "always"],
])("%# a value may stand where another is asked for, or not, or perhaps", (base, derived, expected) => {
  expect(structInfoBaseCheck(base, derived, ctx)).toBe(expected);
});
