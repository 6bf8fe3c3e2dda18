/**
 * The language that rewrite rules are written in: TVMScript's operators, plus `div(a, b)` and `mod(a, b)` (truncated),
 * `min`, `max`, `select(c, a, b)`, `ramp(base, stride, n)`, `broadcast(x, n)`, `abs`, `gcd`. Names that start with `c`
 * stand for integer constants, names that start with `n` for lane counts, names that start with `t` for any expression but a
 * constant, names that start with `p` for any but a minimum or maximum, every other name for any expression.
 */
export type RuleTerm =
  | { readonly tag: "var" | "const" | "lanes"; readonly name: string }
  | { readonly tag: "number"; readonly value: number }
  | { readonly tag: "bool"; readonly value: boolean }
  | { readonly tag: "op"; readonly op: RuleOp; readonly args: readonly RuleTerm[] };

export type RuleOp =
  | "+" | "-" | "*" | "//" | "%" | "div" | "mod" | "min" | "max"
  | "==" | "!=" | "<" | "<=" | ">" | ">="
  | "&&" | "||" | "!" | "select" | "ramp" | "broadcast" | "abs" | "gcd";

const binaryLevels: readonly (readonly RuleOp[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "//", "%"],
];
const functions: readonly RuleOp[] = ["div", "mod", "min", "max", "select", "ramp", "broadcast", "abs", "gcd"];

/** Reads a term. @throws Error ("internal: …") where the text is not one. */
export function parseTerm(text: string): RuleTerm {
  const tokens = text.match(/[a-z][a-z0-9]*|\d+|\/\/|==|!=|<=|>=|&&|\|\||[-+*%<>!(),]/g) ?? [];
  let next = 0;
  const fail = (): never => {
    throw new Error(`internal: rule \`${text}\` does not read at token ${next}`);
  };
  const eat = (token: string): void => {
    if (tokens[next++] !== token) fail();
  };

  function binary(level: number): RuleTerm {
    const ops = binaryLevels[level];
    if (ops === undefined) return unary();
    let left = binary(level + 1);
    for (;;) {
      const op = ops.find((o) => o === tokens[next]);
      if (op === undefined) return left;
      next++;
      left = { tag: "op", op, args: [left, binary(level + 1)] };
    }
  }

  function unary(): RuleTerm {
    const token = tokens[next++] ?? fail();
    if (token === "!") return { tag: "op", op: "!", args: [unary()] };
    if (token === "-") return { tag: "op", op: "-", args: [{ tag: "number", value: 0 }, unary()] };
    if (token === "(") {
      const inner = binary(0);
      eat(")");
      return inner;
    }
    if (/^\d/.test(token)) return { tag: "number", value: Number(token) };
    if (token === "true" || token === "false") return { tag: "bool", value: token === "true" };
    const op = functions.find((f) => f === token);
    if (op !== undefined && tokens[next] === "(") return call(op);
    if (!/^[a-z]/.test(token)) fail();
    return { tag: token.startsWith("c") ? "const" : token.startsWith("n") ? "lanes" : "var", name: token };
  }

  function call(op: RuleOp): RuleTerm {
    const args: RuleTerm[] = [];
    eat("(");
    do args.push(binary(0));
    while (tokens[next] === "," && next++ >= 0);
    eat(")");
    return { tag: "op", op, args };
  }

  const term = binary(0);
  if (next !== tokens.length) fail();
  return term;
}

/** True if the term holds no expressions: its value is known when the constants and lane counts are. */
export function isConstantTerm(t: RuleTerm): boolean {
  if (t.tag !== "op") return t.tag !== "var";
  return t.op !== "select" && t.op !== "ramp" && t.op !== "broadcast" && t.args.every(isConstantTerm);
}

const commutative: ReadonlySet<RuleOp> = new Set<RuleOp>(["+", "*", "min", "max", "==", "!=", "&&", "||"]);

/** All ways to write a pattern with the operands of commutative operators exchanged; a constant operand stays second. */
export function commutations(t: RuleTerm): RuleTerm[] {
  if (t.tag !== "op") return [t];
  let combinations: RuleTerm[][] = [[]];
  for (const arg of t.args) {
    const forms = commutations(arg);
    combinations = combinations.flatMap((head) => forms.map((form) => [...head, form]));
  }
  const out: RuleTerm[] = combinations.map((args) => ({ tag: "op", op: t.op, args }));
  const last = t.args[1];
  if (!commutative.has(t.op) || last === undefined || last.tag === "const" || last.tag === "number") return out;
  return [...out, ...combinations.map((args): RuleTerm => ({ tag: "op", op: t.op, args: [...args].reverse() }))];
}

/** The term as text, with names replaced by `rename`; equal texts mean equal terms. */
export function termText(t: RuleTerm, rename: (name: string) => string = (n) => n): string {
  switch (t.tag) {
    case "var":
    case "const":
    case "lanes":
      return rename(t.name);
    case "number":
    case "bool":
      return String(t.value);
    case "op":
      return `${t.op}(${t.args.map((a) => termText(a, rename)).join(",")})`;
  }
}
