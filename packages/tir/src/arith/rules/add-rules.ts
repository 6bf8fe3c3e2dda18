import { orderRule, rule, type RuleRow } from "./rule.ts";

/** Sums of index type. Constants stand on the right, outermost. */
export const addRules: readonly RuleRow[] = [
  // What cancels.
  rule("(x - y) + y", "x"),
  rule("(x - y) + (y - z)", "x - z"),
  orderRule("min(x * c1 + c2, 0) + x * c3", "min(x * c3, c2)", "c1 == 0 - c3"),
  orderRule("max(x * c1 + c2, 0) + x * c3", "max(x * c3, c2)", "c1 == 0 - c3"),
  rule("min(x, y - z) + z", "min(x + z, y)"),
  rule("max(x, y - z) + z", "max(x + z, y)"),
  rule("min(x, y + z * c1) + z * c2", "min(x + z * c2, y)", "c1 == 0 - c2"),
  rule("max(x, y + z * c1) + z * c2", "max(x + z * c2, y)", "c1 == 0 - c2"),
  rule("min(x, z * c1) + z * c2", "min(x + z * c2, 0)", "c1 == 0 - c2"),
  rule("max(x, z * c1) + z * c2", "max(x + z * c2, 0)", "c1 == 0 - c2"),
  rule("max(x, y) + min(x, y)", "x + y"),
  rule("min(x, y + c1) + c2", "min(x + c2, y)", "c1 == 0 - c2"),
  rule("max(x, y + c1) + c2", "max(x + c2, y)", "c1 == 0 - c2"),
  rule("(x - y) + (z + y)", "x + z"),
  rule("x * c1 + x * c2", "x * (c1 + c2)"),
  rule("x * c1 + (y + x * c2)", "x * (c1 + c2) + y"),
  rule("x * c1 + (y - x * c2)", "x * (c1 - c2) + y"),
  // Constants together.
  rule("(x + c1) + c2", "x + (c1 + c2)"),
  rule("(x - c1) + c2", "x + (c2 - c1)"),
  rule("(c1 - x) + c2", "(c1 + c2) - x"),
  // Common factors.
  rule("x + x", "x * 2"),
  rule("t * y + t", "t * (y + 1)"),
  rule("x * y + x * z", "x * (y + z)"),
  // A quotient and its remainder.
  rule("div(x, c1) * c1 + mod(x, c1)", "x", "c1 != 0"),
  rule("x // y * y + x % y", "x"),
  rule("div(x, c1) * c3 + mod(x, c1) * c2", "x * c2", "c1 != 0 && c3 == c1 * c2"),
  rule("x // c1 * c3 + x % c1 * c2", "x * c2", "c1 != 0 && c3 == c1 * c2"),
  rule("x // c1 * c1 + (x % c1 + y)", "x + y", "c1 != 0"),
  rule("(y + x // c1 * c1) + x % c1", "y + x", "c1 != 0"),
  rule("(x % c2 + c1) // c2 + x // c2", "(x + c1) // c2", "c2 > 0"),
  rule("x // 2 + x % 2", "(x + 1) // 2"),
  rule("(x + c1) % 2 + x % 2", "1", "c1 % 2 == 1"),
  // Order: constants last, minima and maxima first, remainders after what they belong to.
  rule("x + (c1 - y)", "(x - y) + c1"),
  rule("(x + c1) + y", "(x + y) + c1"),
  orderRule("c1 + x", "x + c1"),
  orderRule("p + max(y, z)", "max(y, z) + p"),
  orderRule("p + min(y, z)", "min(y, z) + p"),
  orderRule("mod(y, c1) + x * c1", "x * c1 + mod(y, c1)"),
  orderRule("y % c1 + x * c1", "x * c1 + y % c1"),
];
