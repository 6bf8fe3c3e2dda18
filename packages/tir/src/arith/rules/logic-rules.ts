import { orderRule, rule, type RuleRow } from "./rule.ts";

/** Negations, down to the comparisons. */
export const notRules: readonly RuleRow[] = [
  rule("!(!x)", "x"),
  rule("!(x <= y)", "y < x"),
  rule("!(x >= y)", "x < y"),
  rule("!(x < y)", "y <= x"),
  rule("!(x > y)", "x <= y"),
  orderRule("!(x == y)", "x != y"),
  orderRule("!(x != y)", "x == y"),
  rule("!(x || y)", "(!x) && (!y)"),
  rule("!(x && y)", "(!x) || (!y)"),
];

/** Conjunctions. */
export const andRules: readonly RuleRow[] = [
  rule("x && x", "x"),
  rule("x == y && x != y", "false"),
  rule("x && !x", "false"),
  rule("x <= y && y < x", "false"),
  rule("x < y && y < x", "false"),
  rule("x <= y && y <= x", "x == y"),
  rule("x <= y && x != y", "x < y"),
  rule("x < y && x != y", "x < y"),
  rule("x < y && x <= y", "x < y"),
  rule("x == y && x <= y", "x == y"),
  rule("x == y && x < y", "false"),
  // Two bounds of one number.
  rule("x < c1 && c2 < x", "false", "c2 + 1 >= c1"),
  rule("x < c1 && c2 <= x", "false", "c2 >= c1"),
  rule("x <= c1 && c2 < x", "false", "c2 >= c1"),
  rule("x <= c1 && c2 <= x", "false", "c2 > c1"),
  rule("x < c1 && x < c2", "x < min(c1, c2)"),
  rule("x <= c1 && x <= c2", "x <= min(c1, c2)"),
  rule("c1 < x && c2 < x", "max(c1, c2) < x"),
  rule("c1 <= x && c2 <= x", "max(c1, c2) <= x"),
  rule("x < c1 && x <= c2", "x < min(c1, c2 + 1)"),
  rule("c1 < x && c2 <= x", "max(c1 + 1, c2) <= x"),
  rule("x == c1 && x == c2", "x == c1 && c1 == c2"),
  rule("x == c1 && x != c2", "x == c1 && c1 != c2"),
  rule("x == c1 && x < c2", "x == c1 && c1 < c2"),
  rule("x == c1 && x <= c2", "x == c1 && c1 <= c2"),
  rule("x == c1 && c2 < x", "x == c1 && c2 < c1"),
  rule("x == c1 && c2 <= x", "x == c1 && c2 <= c1"),
  // Quotient and remainder of one number.
  rule("x // c2 == c1 && x % c2 == c3", "x == c1 * c2 + c3", "c3 >= 0 && c3 < c2"),
  rule("x // c2 == c1 && x % c2 < c3", "c1 * c2 <= x && x < c1 * c2 + c3", "c2 > 0 && c3 >= 0 && c3 <= c2"),
  rule("x // c2 == c1 && x % c2 <= c3", "c1 * c2 <= x && x <= c1 * c2 + c3", "c2 > 0 && c3 >= 0 - 1 && c3 < c2"),
  rule("x // c2 == c1 && c3 <= x % c2", "c1 * c2 + c3 <= x && x < (c1 + 1) * c2", "c2 > 0 && c3 >= 0 && c3 <= c2"),
  rule("x // c2 == c1 && c3 < x % c2", "c1 * c2 + c3 < x && x < (c1 + 1) * c2", "c2 > 0 && c3 >= 0 - 1 && c3 < c2"),
  rule("0 <= x - y * c1 && x - y * c1 < c1", "y == x // c1", "c1 > 0"),
  rule("c1 < x - y * c1 && x - y * c1 <= 0", "y == x // c1", "c1 < 0"),
  rule("0 <= x + y * c2 && x + y * c2 < c1", "y == x // c1", "c2 == 0 - c1 && c1 > 0"),
  rule("x < c1 && x % c2 < c3", "x < c1 - c2 + c3 && x % c2 < c3", "c2 > 0 && c3 > 0 && c3 < c2 && c1 % c2 == 0"),
  rule("x < c1 && x % c2 < c3", "x < c1 - c1 % c2 + c3 && x % c2 < c3", "c2 > 0 && c3 > 0 && c1 % c2 > c3"),
  rule("x <= c1 && x % c2 < c3", "x < c1 + 1 - c2 + c3 && x % c2 < c3", "c2 > 0 && c3 > 0 && c3 < c2 && (c1 + 1) % c2 == 0"),
  rule("x <= c1 && x % c2 < c3", "x < c1 + 1 - (c1 + 1) % c2 + c3 && x % c2 < c3", "c2 > 0 && c3 > 0 && (c1 + 1) % c2 > c3"),
  // Absorption, then brackets to the left.
  rule("x && (x && y)", "x && y"),
  rule("x && (x || y)", "x"),
  rule("(x || y) && (x || !y)", "x"),
  rule("(x && y) && (x && z)", "(x && y) && z"),
  orderRule("x && (y && z)", "(x && y) && z"),
];

/** Disjunctions. */
export const orRules: readonly RuleRow[] = [
  rule("x || x", "x"),
  rule("x == y || x != y", "true"),
  rule("x || !x", "true"),
  rule("x <= y || y < x", "true"),
  rule("x <= y || y <= x", "true"),
  rule("x < y || y < x", "x != y"),
  rule("x < y || x == y", "x <= y"),
  rule("x <= y || x == y", "x <= y"),
  rule("x < y || x <= y", "x <= y"),
  rule("x < y || x != y", "x != y"),
  // Two bounds of one number.
  rule("x < c1 || c2 < x", "true", "c2 < c1"),
  rule("x <= c1 || c2 < x", "true", "c2 <= c1"),
  rule("x < c1 || c2 <= x", "true", "c2 <= c1"),
  rule("x <= c1 || c2 <= x", "true", "c2 <= c1 + 1"),
  rule("x < c1 || x < c2", "x < max(c1, c2)"),
  rule("x <= c1 || x <= c2", "x <= max(c1, c2)"),
  rule("c1 < x || c2 < x", "min(c1, c2) < x"),
  rule("c1 <= x || c2 <= x", "min(c1, c2) <= x"),
  rule("x < c1 || x == c1", "x <= c1"),
  rule("c1 < x || x == c1", "c1 <= x"),
  rule("x != c1 || x != c2", "x != c1 || c1 != c2"),
  rule("x != c1 || x == c2", "x != c1 || c1 == c2"),
  // Absorption, then brackets to the left.
  rule("x || (x || y)", "x || y"),
  rule("x || (x && y)", "x"),
  rule("(x && y) || (x && !y)", "x"),
  rule("(x || y) || (x || z)", "(x || y) || z"),
  rule("(x && y) || (x && z)", "x && (y || z)"),
  orderRule("x || (y || z)", "(x || y) || z"),
];

/** Selections, of any type; those of truth values are logic. */
export const selectRules: readonly RuleRow[] = [
  rule("select(x, y, y)", "y"),
  rule("select(!x, y, z)", "select(x, z, y)"),
  rule("select(x, select(x, y, z), w)", "select(x, y, w)"),
  rule("select(x, y, select(x, z, w))", "select(x, y, w)"),
];

/** Operations on two selections by one condition, of any type that the operation is exact for. */
export const selectArithRules: readonly RuleRow[] = [
  rule("select(x, y, z) + select(x, u, v)", "select(x, y + u, z + v)"),
  rule("select(x, y, z) - select(x, u, v)", "select(x, y - u, z - v)"),
  rule("select(x, y, z) - z", "select(x, y - z, 0)"),
  rule("select(x, y, z) - y", "select(x, 0, z - y)"),
  rule("min(select(x, y, z), select(x, u, v))", "select(x, min(y, u), min(z, v))"),
  rule("max(select(x, y, z), select(x, u, v))", "select(x, max(y, u), max(z, v))"),
];
