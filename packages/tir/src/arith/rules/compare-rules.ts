import { orderRule, rule, type RuleRow } from "./rule.ts";

/** Equalities of index type. */
export const eqRules: readonly RuleRow[] = [
  rule("x == x", "true"),
  orderRule("c1 == x", "x == c1"),
  rule("x + c1 == c2", "x == c2 - c1"),
  rule("x - c1 == c2", "x == c1 + c2"),
  rule("c1 - x == c2", "x == c1 - c2"),
  rule("x + y == x", "y == 0"),
  rule("x + y == x + z", "y == z"),
  rule("x - y == x", "y == 0"),
  rule("x * c1 == c2", "x == c2 // c1", "c1 != 0 && c2 % c1 == 0"),
  rule("x * c1 == c2", "false", "c1 != 0 && c2 % c1 != 0"),
  rule("x * c1 == y * c1", "x == y", "c1 != 0"),
  rule("x * y == 0", "x == 0 || y == 0"),
  rule("x - y == 0", "x == y"),
];

/** A multiple below its number, for one of the two divisions. */
function multipleRows(q: (a: string) => string, r: (a: string) => string): RuleRow[] {
  return [
    rule(`${q("x")} * c1 < x`, `0 < ${r("x")}`, "c1 > 0"),
    rule(`${q("x")} * c1 < x + y`, `0 < ${r("x")} + y`, "c1 > 0"),
    rule(`${q("x")} * c1 < x - y`, `y < ${r("x")}`, "c1 > 0"),
    rule(`${q("x + c2")} * c1 < x`, `c2 < ${r("x + c2")}`, "c1 > 0"),
    rule(`${q("x + c2")} * c1 < x + y`, `c2 < ${r("x + c2")} + y`, "c1 > 0"),
    rule(`${q("x + c2")} * c1 < x - y`, `y < ${r("x + c2")} + (0 - c2)`, "c1 > 0"),
  ];
}

/** Comparisons of index type; `a <= b` is taken as `!(b < a)`, so that these suffice. */
export const ltRules: readonly RuleRow[] = [
  rule("x < x", "false"),
  rule("x + y < x + z", "y < z"),
  rule("y - x < z - x", "y < z"),
  rule("x - y < x - z", "z < y"),
  rule("x < x + z", "0 < z"),
  rule("x + z < x", "z < 0"),
  rule("x < x - z", "z < 0"),
  rule("x - z < x", "0 < z"),
  // Factors.
  rule("x * c1 < y * c1", "x < y", "c1 > 0"),
  rule("x * c1 < y * c1", "y < x", "c1 < 0"),
  rule("x * c2 < c1", "x < (c1 - 1) // c2 + 1", "c2 > 0"),
  rule("x * c2 < c1", "0 - ((c1 - 1) // (0 - c2) + 1) < x", "c2 < 0"),
  rule("c1 < x * c2", "c1 // c2 < x", "c2 > 0"),
  rule("c1 < x * c2", "x < 0 - c1 // (0 - c2)", "c2 < 0"),
  // Quotients.
  rule("div(x, c1) < c2", "x < c1 * c2", "c1 > 0 && c2 > 0"),
  rule("div(x, c1) < c2", "x < c1 * (c2 - 1) + 1", "c1 > 0 && c2 <= 0"),
  rule("c1 < div(x, c2)", "(c1 + 1) * c2 - 1 < x", "c1 >= 0 && c2 > 0"),
  rule("c1 < div(x, c2)", "c1 * c2 < x", "c1 < 0 && c2 > 0"),
  rule("x // c1 < c2", "x < c1 * c2", "c1 > 0"),
  rule("c1 < x // c2", "(c1 + 1) * c2 - 1 < x", "c2 > 0"),
  ...multipleRows((a) => `div(${a}, c1)`, (a) => `mod(${a}, c1)`),
  ...multipleRows((a) => `((${a}) // c1)`, (a) => `(${a}) % c1`),
  // Minima and maxima on either side.
  rule("min(x, y) < z", "x < z || y < z"),
  rule("max(x, y) < z", "x < z && y < z"),
  rule("z < min(x, y)", "z < x && z < y"),
  rule("z < max(x, y)", "z < x || z < y"),
  // A constant to the side of the constant.
  rule("c1 < x + c2", "c1 - c2 < x"),
  rule("c1 - x < c2", "c1 - c2 < x"),
  rule("c1 < c2 - x", "x < c2 - c1"),
  rule("x + c1 < c2", "x < c2 - c1"),
  rule("c1 < x - c2", "c1 + c2 < x"),
  rule("x - c2 < c1", "x < c1 + c2"),
  rule("x < c1 - y", "x + y < c1"),
  rule("c1 - y < x", "c1 < x + y"),
  rule("x - y < 0", "x < y"),
  rule("0 < x - y", "y < x"),
  rule("x + c1 < y + c2", "x <= y", "c2 - c1 == 1"),
  rule("x < y + 1", "x <= y"),
  rule("x + c1 < y + c2", "x + (c1 - c2) < y", "c1 > c2 && c2 != 0"),
  rule("x + c1 < y + c2", "x < y + (c2 - c1)", "c1 < c2 && c1 != 0"),
  rule("x + c1 < y", "x < y + (0 - c1)", "c1 < 0"),
  rule("x < y + c1", "x + (0 - c1) < y", "c1 < 0"),
  rule("x + c1 < y + c1", "x < y"),
];
