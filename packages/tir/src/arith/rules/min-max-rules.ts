import { fixedRule, rule, type RuleRow } from "./rule.ts";

/**
 * Minima (`min` as `m`, `max` as `w`) or maxima (the other way round): the rules are the same with the order turned.
 * `below` is `<` for minima and `>` for maxima.
 */
function latticeRows(m: "min" | "max", w: "min" | "max", below: "<" | ">"): RuleRow[] {
  const M = (...args: string[]): string => args.reduce((acc, a) => `${m}(${acc}, ${a})`);
  return [
    rule(M("x", "x"), "x"),
    rule(M("x + c1", "x + c2"), "x + c1", `c1 ${below} c2`),
    rule(M("x + c1", "x + c2"), "x + c2", `c2 ${below}= c1`),
    rule(M("x + c1", "x"), "x + c1", `c1 ${below} 0`),
    rule(M("x + c1", "x"), "x", `0 ${below}= c1`),
    rule(M("c1 - x", "c2 - x"), `${m}(c1, c2) - x`),
    fixedRule(`${m}(${w}(x, y), ${m}(x, y))`, M("x", "y")),
    rule(`${m}(${m}(x, y), x)`, M("x", "y")),
    rule(`${m}(${w}(x, y), x)`, "x"),
    rule(M("x", "y", "z", "y"), M("x", "y", "z")),
    rule(M("x", "y", "z", "u", "y"), M("x", "y", "z", "u")),
    rule(M("x", "y", "z", "u", "v", "y"), M("x", "y", "z", "u", "v")),
    rule(`${m}(${w}(x, y), ${w}(x, z))`, `${w}(${m}(y, z), x)`),
    rule(`${m}(${m}(x, y), ${m}(x, z))`, M("y", "z", "x")),
    rule(M("y + x", "z + x"), `${m}(y, z) + x`),
    rule(M("y + x", "x"), `${m}(y, 0) + x`),
    rule(M("y - x", "z - x"), `${m}(y, z) - x`),
    rule(M("x - y", "x - z"), `x - ${w}(y, z)`),
    rule(M("x - y", "x"), `x - ${w}(y, 0)`),
    rule(M(M("x", "c1"), "c2"), `${m}(x, ${m}(c1, c2))`),
    rule(`${m}(div(x, c1), div(y, c1))`, `div(${m}(x, y), c1)`, "c1 > 0"),
    rule(`${m}(div(x, c1), div(y, c1))`, `div(${w}(x, y), c1)`, "c1 < 0"),
    rule(`${m}(x // c1, y // c1)`, `${m}(x, y) // c1`, "c1 > 0"),
    rule(`${m}(x // c1, y // c1)`, `${w}(x, y) // c1`, "c1 < 0"),
    rule(`${m}(x * c1, y * c1)`, `${m}(x, y) * c1`, "c1 > 0"),
    rule(`${m}(x * c1, y * c1)`, `${w}(x, y) * c1`, "c1 < 0"),
    rule(`${m}(x * c1, c2)`, `${m}(x, c2 // c1) * c1`, "c1 > 0 && c2 % c1 == 0"),
    rule(`${m}(x * c1, c2)`, `${w}(x, c2 // c1) * c1`, "c1 < 0 && c2 % c1 == 0"),
    rule(`${m}(c1 - x, c2)`, `c1 - ${w}(x, c1 - c2)`, "c2 != 0"),
  ];
}

/** Rounding up and down to a multiple brackets the number. */
export const minRules: readonly RuleRow[] = [
  ...latticeRows("min", "max", "<"),
  rule("min((x + c1) // c2 * c2, x)", "x", "c2 > 0 && c1 + 1 == c2"),
  rule("min(div(x + c1, c2) * c2, x)", "x", "c2 > 0 && c1 + 1 == c2"),
  rule("min((x + c1) // c2 * c2, max(x, c2))", "max(x, c2)", "c2 > 0 && c1 + 1 == c2 && x >= 1"),
  rule("min(div(x + c1, c2) * c2, max(x, c2))", "max(x, c2)", "c2 > 0 && c1 + 1 == c2 && x >= 1"),
  rule("min(x, x // c2 * c2)", "x // c2 * c2", "c2 > 0"),
  rule("min(min(x, c1), y)", "min(min(x, y), c1)"),
];

export const maxRules: readonly RuleRow[] = [
  ...latticeRows("max", "min", ">"),
  rule("max((x + c1) // c2 * c2, x)", "(x + c1) // c2 * c2", "c2 > 0 && c1 + 1 == c2"),
  rule("max(div(x + c1, c2) * c2, x)", "div(x + c1, c2) * c2", "c2 > 0 && c1 + 1 == c2"),
  rule("max(x, x // c2 * c2)", "x", "c2 > 0"),
  rule("max(max(x, c1), y)", "max(max(x, y), c1)"),
];
