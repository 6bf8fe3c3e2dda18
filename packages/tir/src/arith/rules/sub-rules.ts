import { orderRule, rule, type RuleRow } from "./rule.ts";

/** A quotient taken off its numerator, for one of the two divisions. `q` is the division, `r` its remainder. */
function remainderRows(q: (a: string) => string, r: (a: string) => string): RuleRow[] {
  const whole = "c1 != 0";
  const scaled = "c1 != 0 && c3 == c1 * c2";
  return [
    rule(`x - ${q("x")} * c1`, r("x"), whole),
    rule(`${q("x")} * c1 - x`, `0 - ${r("x")}`, whole),
    rule(`x - ${q("x + y")} * c1`, `${r("x + y")} - y`, whole),
    rule(`${q("x + y")} * c1 - x`, `y - ${r("x + y")}`, whole),
    rule(`x - ${q("x - y")} * c1`, `${r("x - y")} + y`, whole),
    rule(`${q("x - y")} * c1 - x`, `0 - ${r("x - y")} - y`, whole),
    rule(`x * c2 - ${q("x")} * c3`, `${r("x")} * c2`, scaled),
    rule(`${q("x")} * c3 - x * c2`, `0 - ${r("x")} * c2`, scaled),
    rule(`x * c2 - ${q("x + y")} * c3`, `(${r("x + y")} - y) * c2`, scaled),
    rule(`${q("x + y")} * c3 - x * c2`, `(y - ${r("x + y")}) * c2`, scaled),
    rule(`x * c2 - ${q("x - y")} * c3`, `(${r("x - y")} + y) * c2`, scaled),
    rule(`${q("x - y")} * c3 - x * c2`, `(0 - ${r("x - y")} - y) * c2`, scaled),
  ];
}

/** Differences of index type. A constant is not taken off but added. */
export const subRules: readonly RuleRow[] = [
  rule("x - x", "0"),
  rule("(x + y) - y", "x"),
  rule("x - (y + x)", "0 - y"),
  rule("(x - y) - x", "0 - y"),
  rule("x - (x - y)", "y"),
  rule("(x + y) - (x + z)", "y - z"),
  rule("(x - y) - (x - z)", "z - y"),
  rule("(x - y) - (z - y)", "x - z"),
  // Minima and maxima of what is taken off.
  orderRule("min(x, y) - x", "min(0, y - x)"),
  orderRule("max(x, y) - x", "max(0, y - x)"),
  orderRule("t - max(y, t)", "min(t - y, 0)"),
  orderRule("t - min(y, t)", "max(t - y, 0)"),
  rule("min(x, y) - y", "min(x - y, 0)"),
  rule("t - max(t, y)", "min(0, t - y)"),
  rule("max(x, y) - y", "max(x - y, 0)"),
  rule("t - min(t, y)", "max(0, t - y)"),
  rule("min(x + y, z) - x", "min(y, z - x)"),
  rule("max(x + y, z) - x", "max(y, z - x)"),
  rule("x - min(x + y, z)", "max(0 - y, x - z)"),
  rule("x - max(x + y, z)", "min(0 - y, x - z)"),
  rule("min(x, y) - min(x, y)", "0"),
  rule("max(x, y) - max(x, y)", "0"),
  rule("min(x, y) - min(z, w)", "x - z", "(x - z) == (y - w)"),
  rule("max(x, y) - max(z, w)", "x - z", "(x - z) == (y - w)"),
  // Common factors.
  rule("t * y - t", "t * (y - 1)"),
  rule("t - y * t", "t * (1 - y)"),
  rule("x * y - x * z", "x * (y - z)"),
  rule("(x * c1 + y) - x * c2", "x * (c1 - c2) + y"),
  rule("(x + y * c1) - y * c2", "x + y * (c1 - c2)"),
  // Constants together.
  rule("(x + c1) - c2", "x + (c1 - c2)"),
  rule("(c1 - x) - c2", "(c1 - c2) - x"),
  rule("(c1 - x) - (c2 - y)", "(y - x) + (c1 - c2)"),
  // Quotients and remainders.
  ...remainderRows((a) => `div(${a}, c1)`, (a) => `mod(${a}, c1)`),
  ...remainderRows((a) => `((${a}) // c1)`, (a) => `(${a}) % c1`),
  rule("x - x % c1", "x // c1 * c1", "c1 != 0"),
  rule("div(x + c1, c3) - div(x + c2, c3)", "div(mod(x + c2, c3) + (c1 - c2), c3)", "c1 >= c2 && c3 > 0 && x >= 0 - c2"),
  rule("div(x + c1, c3) - div(x, c3)", "div(mod(x, c3) + c1, c3)", "c1 >= 0 && c3 > 0 && x >= 0"),
  rule("(x + c1) // 2 - (x + c2) // 2", "x % 2 * (c1 % 2 - c2 % 2) + (c1 // 2 - c2 // 2)"),
  rule("x // 2 - (x + c2) // 2", "x % 2 * (0 - c2 % 2) - c2 // 2"),
  rule("(x + c1) // 2 - x // 2", "x % 2 * (c1 % 2) + c1 // 2"),
  rule("(x + 1) // 2 - x % 2", "x // 2"),
  rule("(x + c1) // c3 - (x + c2) // c3", "((x + c2 % c3) % c3 + (c1 - c2)) // c3", "c3 > 0"),
  rule("(x + c1) // c3 - x // c3", "(x % c3 + c1) // c3", "c3 > 0"),
  // Order: constants last, sums before differences.
  rule("x - c1", "x + (0 - c1)"),
  rule("(x + c1) - y", "(x - y) + c1"),
  rule("x - (y + c1)", "(x - y) + (0 - c1)"),
  rule("x - (y - z)", "(x + z) - y"),
  rule("x - y * c1", "x + y * (0 - c1)"),
];
