import type { PyBinaryOp, PyCompareOp, PyExpr, PyKeyword, PySlice } from "./ast.ts";
import { TokenCursor } from "./token-cursor.ts";
import { numberValue, stringValue, TokenKind } from "./tokens.ts";

const COMPARE = new Set(["<", "<=", ">", ">=", "==", "!=", "in", "not", "is"]);
const CLOSERS = new Set([",", ")", "]"]);
const OR = 1;
const AND = 2;
const NOT = 3;
const COMPARISON = 4;
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ["or", OR], ["and", AND], ["in", COMPARISON], ["not", COMPARISON], ["is", COMPARISON],
  ["<", COMPARISON], ["<=", COMPARISON], [">", COMPARISON], [">=", COMPARISON], ["==", COMPARISON], ["!=", COMPARISON],
  ["|", 5], ["^", 6], ["&", 7], ["<<", 8], [">>", 8], ["+", 9], ["-", 9],
  ["*", 10], ["/", 10], ["//", 10], ["%", 10], ["@", 10],
]);
/** Reads expressions, from the loosest binding to the tightest. */
export class ExpressionReader extends TokenCursor {
  protected expression(): PyExpr {
    // Most are one word between commas.
    const k = this.kinds[this.at];
    if ((k === TokenKind.name || k === TokenKind.number) && this.kinds[this.at + 1] === TokenKind.op && CLOSERS.has(this.texts[this.at + 1] ?? "")) {
      return this.#atom();
    }
    this.deeper("This expression is");
    if (this.isWord("lambda")) {
      const result = this.#lambda();
      this.depth--;
      return result;
    }
    const from = this.start();
    let result = this.#operation(OR);
    if (this.isWord("if")) {
      this.at++;
      const test = this.#operation(OR);
      if (!this.eatWord("else")) this.fail(`Expected \`else\`, found ${this.found()}.`);
      const orelse = this.expression();
      result = { py: "IfExp", test, body: result, orelse, start: from, end: this.lastEnd() };
    }
    this.depth--;
    return result;
  }

  #lambda(): PyExpr {
    const from = this.start();
    this.at++;
    const params: string[] = [];
    while (!this.isOp(":")) {
      const star = this.eatOp("*") ? "*" : "";
      params.push(star + this.identifier());
      if (this.eatOp("=")) this.expression();
      if (!this.eatOp(",")) break;
    }
    this.expectOp(":");
    const body = this.expression();
    return { py: "Lambda", params, body, start: from, end: this.lastEnd() };
  }

  #compareOp(): PyCompareOp | undefined {
    const k = this.kind();
    if ((k !== TokenKind.op && k !== TokenKind.keyword) || !COMPARE.has(this.text())) return undefined;
    const op = this.text();
    if (op === "not") {
      if (this.texts[this.at + 1] !== "in") return undefined;
      this.at += 2;
      return "not in";
    }
    this.at++;
    if (op === "is") return this.eatWord("not") ? "is not" : "is";
    return op as PyCompareOp;
  }

  /** The comparisons that follow `first`: `a < b < c` is both of `a < b` and `b < c`. */
  #comparisons(first: PyExpr, from: number): PyExpr {
    let left = first;
    let result: PyExpr | undefined;
    for (let op = this.#compareOp(); op !== undefined; op = this.#compareOp()) {
      const right = this.#operation(COMPARISON + 1);
      const one: PyExpr = { py: "Compare", op, left, right, start: from, end: this.lastEnd() };
      result = result === undefined ? one : { py: "Bool", op: "and", left: result, right: one, start: from, end: this.lastEnd() };
      left = right;
    }
    return result ?? first;
  }

  /** Operands and the operators between them that bind at least as tightly as `min`. */
  #operation(min: number): PyExpr {
    const from = this.start();
    let left = this.isWord("not") && min <= NOT ? this.#negation(from) : this.#operand();
    for (;;) {
      const k = this.kinds[this.at];
      if (k !== TokenKind.op && k !== TokenKind.keyword) return left;
      const op = this.texts[this.at] ?? "";
      if (op === "," || op === ")" || op === "]") return left;
      const precedence = PRECEDENCE.get(op);
      if (precedence === undefined || precedence < min) return left;
      if (precedence === COMPARISON) {
        const before = this.at;
        left = this.#comparisons(left, from);
        if (this.at === before) return left;
        continue;
      }
      this.at++;
      const right = this.#operation(precedence + 1);
      left =
        precedence <= AND
          ? { py: "Bool", op: op as "and" | "or", left, right, start: from, end: this.lastEnd() }
          : { py: "Binary", op: op as PyBinaryOp, left, right, start: from, end: this.lastEnd() };
    }
  }

  #negation(from: number): PyExpr {
    this.at++;
    this.deeper("This expression is");
    const inner = this.#operation(NOT);
    this.depth--;
    return { py: "Unary", op: "not", operand: inner, start: from, end: this.lastEnd() };
  }

  #operand(): PyExpr {
    const from = this.start();
    if (this.kind() === TokenKind.op) {
      const op = this.text();
      if (op === "-" || op === "+" || op === "~") {
        this.at++;
        this.deeper("This expression is");
        const inner = this.#operand();
        this.depth--;
        return { py: "Unary", op, operand: inner, start: from, end: this.lastEnd() };
      }
    }
    const base = this.postfix();
    if (!this.eatOp("**")) return base;
    this.deeper("This expression is");
    const exponent = this.#operand();
    this.depth--;
    return { py: "Binary", op: "**", left: base, right: exponent, start: from, end: this.lastEnd() };
  }

  protected postfix(): PyExpr {
    const from = this.start();
    let value = this.#atom();
    while (this.kind() === TokenKind.op) {
      const op = this.text();
      if (op === ".") {
        this.at++;
        const attr = this.identifier();
        value = { py: "Attribute", value, attr, start: from, end: this.lastEnd() };
      } else if (op === "(") {
        this.at++;
        value = this.call(value, from);
      } else if (op === "[") {
        this.at++;
        value = { py: "Subscript", value, indices: this.#subscripts(), start: from, end: this.lastEnd() };
      } else break;
    }
    return value;
  }

  protected call(func: PyExpr, from: number): PyExpr {
    const args: PyExpr[] = [];
    const keywords: PyKeyword[] = [];
    while (!this.isOp(")")) {
      const argStart = this.start();
      if (this.eatOp("*")) {
        const value = this.expression();
        args.push({ py: "Starred", value, start: argStart, end: this.lastEnd() });
      } else if (this.eatOp("**")) {
        const value = this.expression();
        keywords.push({ name: undefined, value, start: argStart, end: this.lastEnd() });
      } else if (this.kind() === TokenKind.name && this.kinds[this.at + 1] === TokenKind.op && this.texts[this.at + 1] === "=") {
        const name = this.text();
        this.at += 2;
        const value = this.expression();
        keywords.push({ name, value, start: argStart, end: this.lastEnd() });
      } else {
        const value = this.expression();
        args.push(this.isWord("for") || this.isWord("async") ? this.#comprehension(argStart, ")") : value);
      }
      if (!this.eatOp(",")) break;
    }
    this.expectOp(")");
    return { py: "Call", func, args, keywords, start: from, end: this.lastEnd() };
  }

  #subscripts(): (PyExpr | PySlice)[] {
    const out: (PyExpr | PySlice)[] = [];
    let commas = 0;
    while (!this.isOp("]")) {
      out.push(this.#subscript());
      if (!this.eatOp(",")) break;
      commas++;
    }
    this.expectOp("]");
    const only = out[0];
    if (out.length === 1 && commas === 0 && only?.py === "Tuple") return [...only.items];
    return out;
  }

  #subscript(): PyExpr | PySlice {
    const from = this.start();
    if (this.eatOp("*")) {
      const value = this.expression();
      return { py: "Starred", value, start: from, end: this.lastEnd() };
    }
    const lower = this.isOp(":") ? undefined : this.expression();
    if (!this.eatOp(":")) return lower ?? this.fail("Expected an index.");
    const done = (): boolean => this.isOp(",") || this.isOp("]") || this.isOp(":");
    const upper = done() ? undefined : this.expression();
    const step = this.eatOp(":") && !done() ? this.expression() : undefined;
    return { py: "Slice", lower, upper, step, start: from, end: this.lastEnd() };
  }

  #comprehension(from: number, close: string): PyExpr {
    let nesting = 0;
    while (this.kind() !== TokenKind.end && (nesting > 0 || !this.isOp(close))) {
      if (this.isOp("(") || this.isOp("[") || this.isOp("{")) nesting++;
      else if (this.isOp(")") || this.isOp("]") || this.isOp("}")) nesting--;
      this.at++;
    }
    return { py: "Other", what: "comprehensions", start: from, end: this.lastEnd() };
  }

  #items(close: string, from: number): PyExpr[] | PyExpr {
    const out: PyExpr[] = [];
    while (!this.isOp(close)) {
      const itemStart = this.start();
      if (this.eatOp("*")) {
        const value = this.expression();
        out.push({ py: "Starred", value, start: itemStart, end: this.lastEnd() });
      } else {
        out.push(this.expression());
        if (this.eatOp(":=")) this.fail("Assignments inside expressions have no meaning here.");
        if (this.isWord("for") || this.isWord("async")) return this.#comprehension(from, close);
      }
      if (!this.eatOp(",")) break;
    }
    return out;
  }

  #atom(): PyExpr {
    const from = this.start();
    switch (this.kind()) {
      case TokenKind.name: {
        const id = this.text();
        this.at++;
        return { py: "Name", id, start: from, end: this.lastEnd() };
      }
      case TokenKind.keyword:
        return this.#constant(from);
      case TokenKind.number: {
        const value = numberValue(this.text());
        if (value === undefined) this.fail(`\`${this.text()}\` is not a number.`);
        this.at++;
        return "int" in value
          ? { py: "Int", value: value.int, start: from, end: this.lastEnd() }
          : { py: "Float", value: value.float, start: from, end: this.lastEnd() };
      }
      case TokenKind.string:
        return this.#string(from);
      case TokenKind.op:
        if (this.isOp("(")) return this.#parenthesized(from);
        if (this.isOp("[")) {
          this.at++;
          const list = this.#items("]", from);
          this.expectOp("]");
          return Array.isArray(list) ? { py: "List", items: list, start: from, end: this.lastEnd() } : { ...list, end: this.lastEnd() };
        }
        if (this.isOp("{")) return this.#dict(from);
        if (this.eatOp("...")) return { py: "Const", value: undefined, start: from, end: this.lastEnd() };
        break;
      default:
        break;
    }
    return this.fail(`Expected an expression, found ${this.found()}.`);
  }

  #constant(from: number): PyExpr {
    const id = this.text();
    if (id === "True" || id === "False" || id === "None") {
      this.at++;
      return { py: "Const", value: id === "None" ? null : id === "True", start: from, end: this.lastEnd() };
    }
    if (id === "lambda") return this.#lambda();
    return this.fail(`Expected an expression, found ${this.found()}.`);
  }

  #string(from: number): PyExpr {
    let value = "";
    let other: string | undefined;
    while (this.kind() === TokenKind.string) {
      const literal = this.src.slice(this.starts[this.at], this.ends[this.at]);
      if (/^[^"']*f/i.test(literal)) other = "formatted strings";
      const part = stringValue(literal);
      if (part === undefined) other = "bytes";
      value += part ?? "";
      this.at++;
    }
    return other === undefined
      ? { py: "Str", value, start: from, end: this.lastEnd() }
      : { py: "Other", what: other, start: from, end: this.lastEnd() };
  }

  #parenthesized(from: number): PyExpr {
    this.at++;
    if (this.eatOp(")")) return { py: "Tuple", items: [], start: from, end: this.lastEnd() };
    const before = this.at;
    const list = this.#items(")", from);
    const comma = this.texts[this.at - 1] === "," && this.at > before;
    this.expectOp(")");
    if (!Array.isArray(list)) return { ...list, end: this.lastEnd() };
    const [only] = list;
    if (list.length === 1 && !comma && only !== undefined) return only;
    return { py: "Tuple", items: list, start: from, end: this.lastEnd() };
  }

  #dict(from: number): PyExpr {
    this.at++;
    const entries: (readonly [PyExpr, PyExpr])[] = [];
    let what: string | undefined;
    while (!this.isOp("}")) {
      if (this.eatOp("**")) {
        this.expression();
        what = "unpacking in a dictionary";
      } else {
        const key = this.expression();
        if (this.eatOp(":")) entries.push([key, this.expression()]);
        else what = "sets";
        if (this.isWord("for") || this.isWord("async")) {
          this.#comprehension(from, "}");
          what = "comprehensions";
        }
      }
      if (!this.eatOp(",")) break;
    }
    this.expectOp("}");
    return what === undefined
      ? { py: "Dict", entries, start: from, end: this.lastEnd() }
      : { py: "Other", what, start: from, end: this.lastEnd() };
  }

  /** An expression, or several with commas between them, which make a tuple. */
  protected expressionList(): PyExpr {
    const from = this.start();
    const first = this.starred();
    if (!this.isOp(",")) return first;
    const list = [first];
    while (this.eatOp(",")) {
      if (this.kind() === TokenKind.newline || this.isOp("=") || this.isOp(":") || this.isWord("in")) break;
      list.push(this.starred());
    }
    return { py: "Tuple", items: list, start: from, end: this.lastEnd() };
  }

  protected starred(): PyExpr {
    const from = this.start();
    if (!this.eatOp("*")) return this.expression();
    const value = this.expression();
    return { py: "Starred", value, start: from, end: this.lastEnd() };
  }
}
