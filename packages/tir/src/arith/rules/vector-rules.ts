import { orderRule, rule, type RuleRow } from "./rule.ts";

const laneWise = ["+", "-", "*", "//", "%"] as const;
const laneCalls = ["min", "max", "div", "mod"] as const;
const laneTests = ["==", "!=", "<", "<="] as const;

/** Ramps and broadcasts: an operation on vectors as one on scalars. */
export const vectorRules: readonly RuleRow[] = [
  ...laneWise.map((op) => orderRule(`broadcast(x, n) ${op} broadcast(y, n)`, `broadcast(x ${op} y, n)`)),
  ...laneCalls.map((f) => orderRule(`${f}(broadcast(x, n), broadcast(y, n))`, `broadcast(${f}(x, y), n)`)),
  rule("ramp(x, u, n) + ramp(y, v, n)", "ramp(x + y, u + v, n)"),
  orderRule("ramp(x, u, n) + broadcast(y, n)", "ramp(x + y, u, n)"),
  orderRule("broadcast(y, n) + ramp(x, u, n)", "ramp(y + x, u, n)"),
  rule("ramp(x, u, n) - ramp(y, v, n)", "ramp(x - y, u - v, n)"),
  rule("ramp(x, u, n) - broadcast(y, n)", "ramp(x - y, u, n)"),
  rule("broadcast(y, n) - ramp(x, u, n)", "ramp(y - x, 0 - u, n)"),
  orderRule("ramp(x, u, n) * broadcast(y, n)", "ramp(x * y, u * y, n)"),
  orderRule("broadcast(y, n) * ramp(x, u, n)", "ramp(x * y, u * y, n)"),
  rule("ramp(x, 0, n)", "broadcast(x, n)"),
  ...(["min", "max"] as const).map((m) => rule(`${m}(${m}(x, broadcast(y, n)), broadcast(z, n))`, `${m}(x, broadcast(${m}(y, z), n))`)),
  // A ramp divided by a divisor of its stride, or one that stays within a quotient.
  rule("ramp(x, c1, n) // broadcast(c2, n)", "ramp(x // c2, c1 // c2, n)", "c2 > 0 && c1 % c2 == 0"),
  rule("ramp(x, c1, n) // broadcast(c2, n)", "broadcast(x // c2, n)", "c2 > 0 && x % c2 + c1 * (n - 1) < c2 && x % c2 + c1 * (n - 1) >= 0"),
  rule("ramp(x, c1, n) % broadcast(c2, n)", "broadcast(x % c2, n)", "c2 > 0 && c1 % c2 == 0"),
  rule("ramp(x, c1, n) % broadcast(c2, n)", "ramp(x % c2, c1, n)", "c2 > 0 && x % c2 + c1 * (n - 1) < c2 && x % c2 + c1 * (n - 1) >= 0"),
  // What divides the base makes no difference to the remainder.
  rule("ramp(x * c3 + c4, c1, n) % broadcast(c2, n)", "ramp(c4 % c2, c1, n) % broadcast(c2, n)", "c2 > 0 && c3 % c2 == 0"),
  rule("ramp(x * c3, c1, n) % broadcast(c2, n)", "ramp(0, c1, n) % broadcast(c2, n)", "c2 > 0 && c3 % c2 == 0"),
  rule("div(ramp(x, c1, n), broadcast(c2, n))", "ramp(div(x, c2), div(c1, c2), n)", "c2 > 0 && c1 % c2 == 0 && x >= 0 && c1 >= 0"),
  rule("mod(ramp(x, c1, n), broadcast(c2, n))", "broadcast(mod(x, c2), n)", "c2 > 0 && c1 % c2 == 0 && x >= 0 && c1 >= 0"),
];

/** Comparisons and logic of vectors. */
export const vectorLogicRules: readonly RuleRow[] = [
  ...laneTests.map((op) => orderRule(`broadcast(x, n) ${op} broadcast(y, n)`, `broadcast(x ${op} y, n)`)),
  rule("broadcast(x, n) && broadcast(y, n)", "broadcast(x && y, n)"),
  rule("broadcast(x, n) || broadcast(y, n)", "broadcast(x || y, n)"),
  rule("!broadcast(x, n)", "broadcast(!x, n)"),
  rule("select(broadcast(x, n), y, z)", "select(x, y, z)"),
  rule("ramp(x, u, n) < ramp(y, u, n)", "broadcast(x < y, n)"),
  rule("ramp(x, c1, n) < broadcast(c2, n)", "broadcast(true, n)", "c1 >= 0 && x + c1 * (n - 1) < c2"),
  rule("ramp(x, c1, n) < broadcast(c2, n)", "broadcast(false, n)", "c1 >= 0 && x >= c2"),
];
