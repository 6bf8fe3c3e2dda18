import { fixedRule, rule, type RuleRow } from "./rule.ts";

/** Truncated division of index type: most rules hold only for what is not negative. */
export const divRules: readonly RuleRow[] = [
  rule("div(div(x, c1), c2)", "div(x, c1 * c2)", "c1 > 0 && c2 > 0"),
  rule("div(div(x, c1) + c2, c3)", "div(x + c1 * c2, c1 * c3)", "c1 > 0 && c2 >= 0 && c3 > 0 && x >= 0"),
  rule("div(x * c1, c2)", "x * div(c1, c2)", "c1 > 0 && c2 > 0 && c1 % c2 == 0"),
  rule("div(x * c1, c2)", "div(x, div(c2, c1))", "c1 > 0 && c2 > 0 && c2 % c1 == 0"),
  rule("div(x, x)", "1"),
  rule("div(x * c1, x)", "c1"),
  rule("div(x * y, y)", "x"),
  rule("div(x * c1 + y, c2)", "x * div(c1, c2) + div(y, c2)", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && y >= 0"),
  rule("div(min(x * c1, y), c2)", "min(x * div(c1, c2), div(y, c2))", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && y >= 0"),
  rule("div(max(x * c1, y), c2)", "max(x * div(c1, c2), div(y, c2))", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && y >= 0"),
  fixedRule("div(x * c1 + y + z, c2)", "x * div(c1, c2) + div(y + z, c2)", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && y + z >= 0"),
  rule("div(x * c1 - y + z, c2)", "x * div(c1, c2) + div(z - y, c2)", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && z - y >= 0"),
  rule("div(x * c1 + y - z, c2)", "x * div(c1, c2) + div(y - z, c2)", "c1 >= 0 && c2 > 0 && c1 % c2 == 0 && x >= 0 && y - z >= 0"),
  rule("div(x + c1, c2)", "div(x, c2) + div(c1, c2)", "c1 > 0 && c2 > 0 && c1 % c2 == 0 && x >= 0"),
  rule("div(x + y, x)", "div(y, x) + 1", "x >= 0 && y >= 0"),
  rule("div((x + y) + z, x)", "div(y + z, x) + 1", "x >= 0 && y + z >= 0"),
  rule("div(x * z + y, z)", "x + div(y, z)", "x >= 0 && y >= 0 && z >= 0"),
];

/** Remainders of truncated division of index type. */
export const modRules: readonly RuleRow[] = [
  rule("mod(x * c1, c2)", "0", "c2 != 0 && c1 % c2 == 0"),
  rule("mod(x * y, y)", "0"),
  rule("mod(x, x)", "0"),
  rule("mod(x * c1 + y, c2)", "mod(y, c2)", "c2 > 0 && c1 % c2 == 0 && x * c1 >= 0 && y >= 0"),
  rule("mod(x + c1, c2)", "mod(x, c2)", "c2 > 0 && c1 >= 0 && c1 % c2 == 0 && x >= 0"),
  rule("mod(mod(x, c1), c2)", "mod(x, c2)", "c1 > 0 && c2 > 0 && c1 % c2 == 0"),
  rule("mod(x, c1)", "mod(x, 0 - c1)", "c1 < 0"),
];
