import { orderRule, rule, type RuleRow } from "./rule.ts";

/** Products of index type. A constant stands on the right, outermost. */
export const mulRules: readonly RuleRow[] = [
  rule("(x + c1) * c2", "x * c2 + c1 * c2"),
  rule("(c1 - x) * c2", "c1 * c2 - x * c2"),
  rule("(x * c1) * c2", "x * (c1 * c2)"),
  rule("min(x, y) * max(x, y)", "x * y"),
  rule("div(x - mod(x, c1), c1) * c1", "x - mod(x, c1)", "c1 != 0"),
  rule("(x - x % c2) // c1 * c1", "x - x % c2", "c1 != 0 && (c1 == c2 || c1 == 0 - c2)"),
  rule("x * (y * c1)", "(x * y) * c1"),
  orderRule("c1 * x", "x * c1"),
  rule("(x - y) * c1", "(y - x) * (0 - c1)", "c1 < 0"),
];
