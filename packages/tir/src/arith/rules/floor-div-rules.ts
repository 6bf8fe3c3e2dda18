import { fixedRule, rule, type RuleRow } from "./rule.ts";

/** Floor division of index type. */
export const floorDivRules: readonly RuleRow[] = [
  rule("x // c1 // c2", "x // (c1 * c2)", "c1 > 0 && c2 > 0"),
  rule("(x // c1 + c2) // c3", "(x + c1 * c2) // (c1 * c3)", "c1 > 0 && c3 > 0"),
  // Factors that divide each other.
  rule("x * c1 // c2", "x * (c1 // c2)", "c2 != 0 && c1 % c2 == 0"),
  rule("x * c1 // c2", "x // (c2 // c1)", "c1 > 0 && c2 > 0 && c2 % c1 == 0"),
  fixedRule("(x * c1 + y) // c2", "x * (c1 // c2) + y // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("(x * c1 + y) // c2", "x // (c2 // c1) + y // c2", "c1 > 0 && c2 > 0 && c2 % c1 == 0 && y % c2 < c1"),
  rule("(x * c1 + y) // c2", "x * (c1 // c2) + y // c2", "c2 > 0 && x * (c1 % c2) + y % c2 < c2 && x * (c1 % c2) + y % c2 >= 0"),
  fixedRule("(x * c1 + y + z) // c2", "x * (c1 // c2) + (y + z) // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("(x * c1 + y + z) // c2", "x // (c2 // c1)", "c1 > 0 && c2 > 0 && c2 % c1 == 0 && y + z >= 0 && y + z < c1"),
  rule("(x * c1 - y + z) // c2", "x * (c1 // c2) + (z - y) // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("(x * c1 + y - z) // c2", "x * (c1 // c2) + (y - z) // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("(x * c1 - y) // c2", "x * (c1 // c2) + (0 - y) // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("(x + c1) // c2", "x // c2 + c1 // c2", "c2 > 0 && c1 % c2 == 0"),
  rule("x * c1 // (x * c2)", "c1 // c2", "c2 > 0"),
  rule("(x * c1 + c3) // c2", "(x * (c1 // gcd(c1, c2)) + c3 // gcd(c1, c2)) // (c2 // gcd(c1, c2))", "c1 > 0 && c2 > 0 && gcd(c1, c2) > 1 && c3 > 0"),
  // Divisors that are not constant; dividing by zero is undefined.
  rule("x // x", "1"),
  rule("x * c1 // x", "c1"),
  rule("x * y // y", "x"),
  rule("(x + y) // x", "y // x + 1"),
  rule("(x - y) // x", "(0 - y) // x + 1"),
  rule("(y - x) // x", "y // x - 1"),
  rule("((x + y) + z) // x", "(y + z) // x + 1"),
  rule("(x * z + y) // z", "x + y // z"),
  rule("(x * z + y + w) // z", "x + (y + w) // z"),
  rule("(x * z * c1 + y) // (z * c1)", "x + y // (z * c1)", "c1 != 0"),
  // Minima, maxima, remainders.
  rule("(x % 2 + 1) // 2", "x % 2"),
  rule("x % c1 // c1", "0", "c1 != 0"),
  rule("min(x * c1, y) // c2", "min(x * (c1 // c2), y // c2)", "c2 > 0 && c1 % c2 == 0"),
  rule("max(x * c1, y) // c2", "max(x * (c1 // c2), y // c2)", "c2 > 0 && c1 % c2 == 0"),
  rule("(x - x % c1) // c1", "x // c1", "c1 != 0"),
];

/** Remainders of floor division of index type. */
export const floorModRules: readonly RuleRow[] = [
  rule("x * c1 % c2", "x * (c1 % c2) % c2", "c2 > 0 && (c1 >= c2 || c1 < 0)"),
  rule("x * c1 % c2", "x % (c2 // c1) * c1", "c1 > 1 && c2 > 0 && c2 % c1 == 0"),
  rule("(x * c1 + y) % c2", "x % (c2 // c1) * c1 + y", "c1 > 0 && c2 > 0 && c2 % c1 == 0 && y >= 0 && y < c1"),
  rule("(x * c1 + y) % c2", "(x * (c1 % c2) + y) % c2", "c2 > 0 && (c1 >= c2 || c1 < 0)"),
  rule("(x + c1) % c2", "(x + c1 % c2) % c2", "c2 > 0 && (c1 >= c2 || c1 < 0)"),
  rule("(y - x * c1) % c2", "y % c2", "c2 > 0 && c1 % c2 == 0"),
  rule("x % c1 % c2", "x % c2", "c2 != 0 && c1 != 0 && c1 % c2 == 0"),
  rule("(x % c1 + y) % c2", "(x + y) % c2", "c2 > 0 && c1 != 0 && c1 % c2 == 0"),
  rule("(y - x % c1) % c2", "(y - x) % c2", "c2 > 0 && c1 != 0 && c1 % c2 == 0"),
  rule("x * c1 % (x * c2)", "x * (c1 % c2)", "c2 != 0"),
  rule("x * y % y", "0"),
  rule("x % x", "0"),
  rule("(x + y) % y", "x % y"),
  rule("(x - y) % y", "x % y"),
  rule("(x * y + z) % y", "z % y"),
  rule("(x + z % y) % y", "0", "(x + z) % y == 0"),
  rule("(x + x * c1 % y) % y", "0", "c1 == 0 - 1"),
  rule("(x - x % z) % y", "0", "y == z || y == 0 - z"),
  rule("(x % z - x) % y", "0", "y == z || y == 0 - z"),
  rule("(x * z * c1 + y) % (z * c1)", "y % (z * c1)", "c1 != 0"),
];
