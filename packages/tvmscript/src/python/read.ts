import type {
  PyBinaryOp,
  PyCompareOp,
  PyExpr,
  PyFunctionDef,
  PyKeyword,
  PyParam,
  PySlice,
  PyStmt,
} from "./ast.ts";
import { numberValue, stringValue, tokenize, TokenKind } from "./tokens.ts";

/** A place where the text is not Python. */
export interface SyntaxProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** What was read, as far as it could be, and what was wrong. */
export interface PythonSource {
  readonly body: readonly PyStmt[];
  readonly problems: readonly SyntaxProblem[];
}

/** Unwinds to the statement that holds the mistake. */
class Unreadable extends Error {}

const AUGMENTED: ReadonlyMap<string, PyBinaryOp> = new Map(
  (["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@"] as const).map((op) => [`${op}=`, op]),
);
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
/** CPython reads 200. */
const MAX_DEPTH = 1000;

/**
 * Reads Python source. After a mistake it goes on with the next line, so that several are found in one run.
 * Never throws.
 *
 * Own code and not a general grammar: the closed subset needs a few dozen rules, and this is several times faster
 * than an incremental parser's tree with a conversion after it.
 */
export function readPython(src: string): PythonSource {
  const { kinds, starts, ends, texts, errors } = tokenize(src);
  const problems: SyntaxProblem[] = [...errors];
  let at = 0;
  let depth = 0;

  const kind = (): number => kinds[at] ?? TokenKind.end;
  const text = (): string => texts[at] ?? "";
  const start = (): number => starts[at] ?? src.length;
  const lastEnd = (): number => ends[at - 1] ?? 0;
  const isOp = (op: string): boolean => kinds[at] === TokenKind.op && texts[at] === op;
  const isWord = (word: string): boolean => kinds[at] === TokenKind.keyword && texts[at] === word;

  function fail(message: string, from = start(), to = Math.max(from + 1, ends[at] ?? from + 1)): never {
    problems.push({ message, start: from, end: Math.min(to, Math.max(src.length, from)) });
    throw new Unreadable();
  }

  function found(): string {
    switch (kind()) {
      case TokenKind.newline:
        return "the end of the line";
      case TokenKind.end:
        return "the end of the text";
      case TokenKind.indent:
        return "a deeper line";
      case TokenKind.dedent:
        return "the end of the block";
      case TokenKind.string:
        return "a string";
      default:
        return `\`${text()}\``;
    }
  }

  function expectOp(op: string): void {
    if (!isOp(op)) fail(`Expected \`${op}\`, found ${found()}.`);
    at++;
  }

  function eatOp(op: string): boolean {
    if (!isOp(op)) return false;
    at++;
    return true;
  }

  function eatWord(word: string): boolean {
    if (!isWord(word)) return false;
    at++;
    return true;
  }

  function identifier(): string {
    if (kind() !== TokenKind.name) fail(`Expected a name, found ${found()}.`);
    return texts[at++] ?? "";
  }

  // Expressions, from the loosest binding to the tightest.

  function expression(): PyExpr {
    // Most are one word between commas.
    const k = kinds[at];
    if ((k === TokenKind.name || k === TokenKind.number) && kinds[at + 1] === TokenKind.op && CLOSERS.has(texts[at + 1] ?? "")) {
      return atom();
    }
    if (++depth > MAX_DEPTH) fail("This expression is nested too deeply.");
    if (isWord("lambda")) {
      const result = lambda();
      depth--;
      return result;
    }
    const from = start();
    let result = operation(OR);
    if (isWord("if")) {
      at++;
      const test = operation(OR);
      if (!eatWord("else")) fail(`Expected \`else\`, found ${found()}.`);
      const orelse = expression();
      result = { py: "IfExp", test, body: result, orelse, start: from, end: lastEnd() };
    }
    depth--;
    return result;
  }

  function lambda(): PyExpr {
    const from = start();
    at++;
    const params: string[] = [];
    while (!isOp(":")) {
      const star = eatOp("*") ? "*" : "";
      params.push(star + identifier());
      if (eatOp("=")) expression();
      if (!eatOp(",")) break;
    }
    expectOp(":");
    const body = expression();
    return { py: "Lambda", params, body, start: from, end: lastEnd() };
  }

  function compareOp(): PyCompareOp | undefined {
    const k = kind();
    if ((k !== TokenKind.op && k !== TokenKind.keyword) || !COMPARE.has(text())) return undefined;
    const op = text();
    if (op === "not") {
      if (texts[at + 1] !== "in") return undefined;
      at += 2;
      return "not in";
    }
    at++;
    if (op === "is") return eatWord("not") ? "is not" : "is";
    return op as PyCompareOp;
  }

  /** The comparisons that follow `first`: `a < b < c` is both of `a < b` and `b < c`. */
  function comparisons(first: PyExpr, from: number): PyExpr {
    let left = first;
    let result: PyExpr | undefined;
    for (let op = compareOp(); op !== undefined; op = compareOp()) {
      const right = operation(COMPARISON + 1);
      const one: PyExpr = { py: "Compare", op, left, right, start: from, end: lastEnd() };
      result = result === undefined ? one : { py: "Bool", op: "and", left: result, right: one, start: from, end: lastEnd() };
      left = right;
    }
    return result ?? first;
  }

  /** Operands and the operators between them that bind at least as tightly as `min`. */
  function operation(min: number): PyExpr {
    const from = start();
    let left = isWord("not") && min <= NOT ? negation(from) : operand();
    for (;;) {
      const k = kinds[at];
      if (k !== TokenKind.op && k !== TokenKind.keyword) return left;
      const op = texts[at] ?? "";
      if (op === "," || op === ")" || op === "]") return left;
      const precedence = PRECEDENCE.get(op);
      if (precedence === undefined || precedence < min) return left;
      if (precedence === COMPARISON) {
        const before = at;
        left = comparisons(left, from);
        if (at === before) return left;
        continue;
      }
      at++;
      const right = operation(precedence + 1);
      left =
        precedence <= AND
          ? { py: "Bool", op: op as "and" | "or", left, right, start: from, end: lastEnd() }
          : { py: "Binary", op: op as PyBinaryOp, left, right, start: from, end: lastEnd() };
    }
  }

  function negation(from: number): PyExpr {
    at++;
    if (++depth > MAX_DEPTH) fail("This expression is nested too deeply.");
    const inner = operation(NOT);
    depth--;
    return { py: "Unary", op: "not", operand: inner, start: from, end: lastEnd() };
  }

  function operand(): PyExpr {
    const from = start();
    if (kind() === TokenKind.op) {
      const op = text();
      if (op === "-" || op === "+" || op === "~") {
        at++;
        if (++depth > MAX_DEPTH) fail("This expression is nested too deeply.");
        const inner = operand();
        depth--;
        return { py: "Unary", op, operand: inner, start: from, end: lastEnd() };
      }
    }
    const base = postfix();
    if (!eatOp("**")) return base;
    if (++depth > MAX_DEPTH) fail("This expression is nested too deeply.");
    const exponent = operand();
    depth--;
    return { py: "Binary", op: "**", left: base, right: exponent, start: from, end: lastEnd() };
  }

  function postfix(): PyExpr {
    const from = start();
    let value = atom();
    while (kind() === TokenKind.op) {
      const op = text();
      if (op === ".") {
        at++;
        const attr = identifier();
        value = { py: "Attribute", value, attr, start: from, end: lastEnd() };
      } else if (op === "(") {
        at++;
        value = call(value, from);
      } else if (op === "[") {
        at++;
        value = { py: "Subscript", value, indices: subscripts(), start: from, end: lastEnd() };
      } else break;
    }
    return value;
  }

  function call(func: PyExpr, from: number): PyExpr {
    const args: PyExpr[] = [];
    const keywords: PyKeyword[] = [];
    while (!isOp(")")) {
      const argStart = start();
      if (eatOp("*")) {
        const value = expression();
        args.push({ py: "Starred", value, start: argStart, end: lastEnd() });
      } else if (eatOp("**")) {
        const value = expression();
        keywords.push({ name: undefined, value, start: argStart, end: lastEnd() });
      } else if (kind() === TokenKind.name && kinds[at + 1] === TokenKind.op && texts[at + 1] === "=") {
        const name = text();
        at += 2;
        const value = expression();
        keywords.push({ name, value, start: argStart, end: lastEnd() });
      } else {
        const value = expression();
        args.push(isWord("for") || isWord("async") ? comprehension(argStart, ")") : value);
      }
      if (!eatOp(",")) break;
    }
    expectOp(")");
    return { py: "Call", func, args, keywords, start: from, end: lastEnd() };
  }

  function subscripts(): (PyExpr | PySlice)[] {
    const out: (PyExpr | PySlice)[] = [];
    let commas = 0;
    while (!isOp("]")) {
      out.push(subscript());
      if (!eatOp(",")) break;
      commas++;
    }
    expectOp("]");
    const only = out[0];
    if (out.length === 1 && commas === 0 && only?.py === "Tuple") return [...only.items];
    return out;
  }

  function subscript(): PyExpr | PySlice {
    const from = start();
    if (eatOp("*")) {
      const value = expression();
      return { py: "Starred", value, start: from, end: lastEnd() };
    }
    const lower = isOp(":") ? undefined : expression();
    if (!eatOp(":")) return lower ?? fail("Expected an index.");
    const done = (): boolean => isOp(",") || isOp("]") || isOp(":");
    const upper = done() ? undefined : expression();
    const step = eatOp(":") && !done() ? expression() : undefined;
    return { py: "Slice", lower, upper, step, start: from, end: lastEnd() };
  }

  function comprehension(from: number, close: string): PyExpr {
    let nesting = 0;
    while (kind() !== TokenKind.end && (nesting > 0 || !isOp(close))) {
      if (isOp("(") || isOp("[") || isOp("{")) nesting++;
      else if (isOp(")") || isOp("]") || isOp("}")) nesting--;
      at++;
    }
    return { py: "Other", what: "comprehensions", start: from, end: lastEnd() };
  }

  function items(close: string, from: number): PyExpr[] | PyExpr {
    const out: PyExpr[] = [];
    while (!isOp(close)) {
      const itemStart = start();
      if (eatOp("*")) {
        const value = expression();
        out.push({ py: "Starred", value, start: itemStart, end: lastEnd() });
      } else {
        out.push(expression());
        if (eatOp(":=")) fail("Assignments inside expressions have no meaning here.");
        if (isWord("for") || isWord("async")) return comprehension(from, close);
      }
      if (!eatOp(",")) break;
    }
    return out;
  }

  function atom(): PyExpr {
    const from = start();
    switch (kind()) {
      case TokenKind.name: {
        const id = text();
        at++;
        return { py: "Name", id, start: from, end: lastEnd() };
      }
      case TokenKind.keyword:
        return constant(from);
      case TokenKind.number: {
        const value = numberValue(text());
        if (value === undefined) fail(`\`${text()}\` is not a number.`);
        at++;
        return "int" in value
          ? { py: "Int", value: value.int, start: from, end: lastEnd() }
          : { py: "Float", value: value.float, start: from, end: lastEnd() };
      }
      case TokenKind.string:
        return string(from);
      case TokenKind.op:
        if (isOp("(")) return parenthesized(from);
        if (isOp("[")) {
          at++;
          const list = items("]", from);
          expectOp("]");
          return Array.isArray(list) ? { py: "List", items: list, start: from, end: lastEnd() } : { ...list, end: lastEnd() };
        }
        if (isOp("{")) return dict(from);
        if (eatOp("...")) return { py: "Const", value: undefined, start: from, end: lastEnd() };
        break;
      default:
        break;
    }
    return fail(`Expected an expression, found ${found()}.`);
  }

  function constant(from: number): PyExpr {
    const id = text();
    if (id === "True" || id === "False" || id === "None") {
      at++;
      return { py: "Const", value: id === "None" ? null : id === "True", start: from, end: lastEnd() };
    }
    if (id === "lambda") return lambda();
    return fail(`Expected an expression, found ${found()}.`);
  }

  function string(from: number): PyExpr {
    let value = "";
    let other: string | undefined;
    while (kind() === TokenKind.string) {
      const literal = src.slice(starts[at], ends[at]);
      if (/^[^"']*f/i.test(literal)) other = "formatted strings";
      const part = stringValue(literal);
      if (part === undefined) other = "bytes";
      value += part ?? "";
      at++;
    }
    return other === undefined
      ? { py: "Str", value, start: from, end: lastEnd() }
      : { py: "Other", what: other, start: from, end: lastEnd() };
  }

  function parenthesized(from: number): PyExpr {
    at++;
    if (eatOp(")")) return { py: "Tuple", items: [], start: from, end: lastEnd() };
    const before = at;
    const list = items(")", from);
    const comma = texts[at - 1] === "," && at > before;
    expectOp(")");
    if (!Array.isArray(list)) return { ...list, end: lastEnd() };
    const [only] = list;
    if (list.length === 1 && !comma && only !== undefined) return only;
    return { py: "Tuple", items: list, start: from, end: lastEnd() };
  }

  function dict(from: number): PyExpr {
    at++;
    const entries: (readonly [PyExpr, PyExpr])[] = [];
    let what: string | undefined;
    while (!isOp("}")) {
      if (eatOp("**")) {
        expression();
        what = "unpacking in a dictionary";
      } else {
        const key = expression();
        if (eatOp(":")) entries.push([key, expression()]);
        else what = "sets";
        if (isWord("for") || isWord("async")) {
          comprehension(from, "}");
          what = "comprehensions";
        }
      }
      if (!eatOp(",")) break;
    }
    expectOp("}");
    return what === undefined
      ? { py: "Dict", entries, start: from, end: lastEnd() }
      : { py: "Other", what, start: from, end: lastEnd() };
  }

  /** An expression, or several with commas between them, which make a tuple. */
  function expressionList(): PyExpr {
    const from = start();
    const first = starred();
    if (!isOp(",")) return first;
    const list = [first];
    while (eatOp(",")) {
      if (kind() === TokenKind.newline || isOp("=") || isOp(":") || isWord("in")) break;
      list.push(starred());
    }
    return { py: "Tuple", items: list, start: from, end: lastEnd() };
  }

  function starred(): PyExpr {
    const from = start();
    if (!eatOp("*")) return expression();
    const value = expression();
    return { py: "Starred", value, start: from, end: lastEnd() };
  }

  // Statements.

  function block(): PyStmt[] {
    expectOp(":");
    const out: PyStmt[] = [];
    if (kind() !== TokenKind.newline) {
      simpleLine(out);
      return out;
    }
    at++;
    if (kind() !== TokenKind.indent) fail(`Expected an indented block, found ${found()}.`);
    at++;
    if (++depth > MAX_DEPTH) fail("These blocks are nested too deeply.");
    statementsUntil(TokenKind.dedent, out);
    depth--;
    if (kind() === TokenKind.dedent) at++;
    return out;
  }

  function statementsUntil(stop: number, out: PyStmt[]): void {
    while (kind() !== stop && kind() !== TokenKind.end) {
      const before = at;
      const depthBefore = depth;
      try {
        statement(out);
      } catch (e) {
        if (!(e instanceof Unreadable)) throw e;
        depth = depthBefore;
        skipLine();
      }
      if (at === before) at++;
    }
  }

  /** Goes on after the current line and the block that hangs on it. */
  function skipLine(): void {
    while (kind() !== TokenKind.newline && kind() !== TokenKind.end && kind() !== TokenKind.dedent) at++;
    if (kind() === TokenKind.newline) at++;
    if (kind() !== TokenKind.indent) return;
    let nesting = 0;
    do {
      if (kind() === TokenKind.indent) nesting++;
      else if (kind() === TokenKind.dedent) nesting--;
      at++;
    } while (nesting > 0 && kind() !== TokenKind.end);
  }

  function statement(out: PyStmt[]): void {
    if (isOp("@")) {
      out.push(decorated());
      return;
    }
    if (kind() === TokenKind.indent) fail("This line is indented more than the lines around it.", start(), start() + 1);
    const compound = kind() === TokenKind.keyword ? compoundStatement() : undefined;
    if (compound === undefined) simpleLine(out);
    else out.push(compound);
  }

  function compoundStatement(): PyStmt | undefined {
    const from = start();
    switch (text()) {
      case "for": {
        at++;
        const target = targetList();
        if (!eatWord("in")) fail(`Expected \`in\`, found ${found()}.`);
        const iter = expressionList();
        const body = block();
        return { py: "For", target, iter, body, start: from, end: lastEnd() };
      }
      case "while": {
        at++;
        const test = expression();
        const body = block();
        return { py: "While", test, body, start: from, end: lastEnd() };
      }
      case "if":
        at++;
        return ifRest(from);
      case "with":
        return withStatement(from);
      case "def":
        return functionDef([], from);
      case "class":
        return classDef([], from);
      case "try":
      case "async": {
        const what = `\`${text()}\``;
        const to = ends[at] ?? from;
        skipLine();
        return { py: "OtherStmt", what, start: from, end: to };
      }
      default:
        return undefined;
    }
  }

  /** Targets of a loop: no comparison, so that `in` ends them. */
  function targetList(): PyExpr {
    const from = start();
    const first = postfix();
    if (!isOp(",")) return first;
    const list = [first];
    while (eatOp(",")) {
      if (isWord("in")) break;
      list.push(postfix());
    }
    return { py: "Tuple", items: list, start: from, end: lastEnd() };
  }

  function ifRest(from: number): PyStmt {
    const test = expression();
    const body = block();
    let orelse: PyStmt[] = [];
    const elseStart = start();
    if (eatWord("elif")) {
      if (++depth > MAX_DEPTH) fail("These blocks are nested too deeply.");
      orelse = [ifRest(elseStart)];
      depth--;
    } else if (eatWord("else")) orelse = block();
    return { py: "If", test, body, orelse, start: from, end: lastEnd() };
  }

  function withStatement(from: number): PyStmt {
    at++;
    const list: { context: PyExpr; target: PyExpr | undefined }[] = [];
    do {
      const context = expression();
      const target = eatWord("as") ? postfix() : undefined;
      list.push({ context, target });
    } while (eatOp(","));
    const body = block();
    return { py: "With", items: list, body, start: from, end: lastEnd() };
  }

  function decorated(): PyStmt {
    const from = start();
    const decorators: PyExpr[] = [];
    while (eatOp("@")) {
      decorators.push(expression());
      if (kind() === TokenKind.newline) at++;
    }
    if (isWord("def")) return functionDef(decorators, from);
    if (isWord("class")) return classDef(decorators, from);
    return fail(`Expected \`def\` or \`class\` after a decorator, found ${found()}.`);
  }

  function functionDef(decorators: readonly PyExpr[], from: number): PyFunctionDef {
    at++;
    const nameStart = start();
    const name = identifier();
    expectOp("(");
    const params: PyParam[] = [];
    while (!isOp(")")) {
      const paramStart = start();
      if (eatOp("/") || (isOp("*") && texts[at + 1] === "," && eatOp("*"))) {
        if (!eatOp(",")) break;
        continue;
      }
      if (isOp("*") || isOp("**")) fail("A parameter that collects the rest has no meaning here.");
      const paramName = identifier();
      const annotation = eatOp(":") ? expression() : undefined;
      const value = eatOp("=") ? expression() : undefined;
      params.push({ name: paramName, annotation, default: value, start: paramStart, end: lastEnd() });
      if (!eatOp(",")) break;
    }
    expectOp(")");
    const returns = eatOp("->") ? expression() : undefined;
    const body = block();
    return { py: "FunctionDef", name, nameStart, params, returns, body, decorators, start: from, end: lastEnd() };
  }

  function classDef(decorators: readonly PyExpr[], from: number): PyStmt {
    at++;
    const name = identifier();
    if (eatOp("(")) call({ py: "Name", id: name, start: from, end: from }, from);
    const body = block();
    return { py: "ClassDef", name, body, decorators, start: from, end: lastEnd() };
  }

  function simpleLine(out: PyStmt[]): void {
    do {
      if (kind() === TokenKind.newline) break;
      out.push(simpleStatement());
    } while (eatOp(";"));
    if (kind() === TokenKind.end) return;
    if (kind() !== TokenKind.newline) fail(`Expected the end of the line, found ${found()}.`);
    at++;
  }

  function simpleStatement(): PyStmt {
    const from = start();
    if (kind() === TokenKind.keyword) {
      const special = keywordStatement(from);
      if (special !== undefined) return special;
    }
    const first = expressionList();
    if (eatOp(":")) {
      const annotation = expression();
      const value = eatOp("=") ? expressionList() : undefined;
      return { py: "AnnAssign", target: first, annotation, value, start: from, end: lastEnd() };
    }
    if (isOp("=")) {
      const targets: PyExpr[] = [];
      let value = first;
      while (eatOp("=")) {
        targets.push(value);
        value = expressionList();
      }
      return { py: "Assign", targets, value, start: from, end: lastEnd() };
    }
    const augmented = kind() === TokenKind.op ? AUGMENTED.get(text()) : undefined;
    if (augmented !== undefined) {
      at++;
      const value = expressionList();
      return { py: "AugAssign", target: first, op: augmented, value, start: from, end: lastEnd() };
    }
    return { py: "ExprStmt", value: first, start: from, end: lastEnd() };
  }

  function keywordStatement(from: number): PyStmt | undefined {
    const word = text();
    switch (word) {
      case "pass":
        at++;
        return { py: "Pass", start: from, end: lastEnd() };
      case "return": {
        at++;
        const value = kind() === TokenKind.newline ? undefined : expressionList();
        return { py: "Return", value, start: from, end: lastEnd() };
      }
      case "assert": {
        at++;
        const test = expression();
        const message = eatOp(",") ? expression() : undefined;
        return { py: "Assert", test, message, start: from, end: lastEnd() };
      }
      case "import":
      case "from":
        return importStatement(from);
      case "break":
      case "continue":
      case "del":
      case "global":
      case "nonlocal":
      case "raise":
      case "yield":
      case "await": {
        while (kind() !== TokenKind.newline && kind() !== TokenKind.end) at++;
        return { py: "OtherStmt", what: `\`${word}\``, start: from, end: lastEnd() };
      }
      default:
        return undefined;
    }
  }

  function dotted(): string {
    let path = "";
    while (eatOp(".") || eatOp("...")) path += ".";
    if (kind() === TokenKind.name) path += identifier();
    while (eatOp(".")) path += `.${identifier()}`;
    return path;
  }

  function importStatement(from: number): PyStmt {
    const names: (readonly [string, string])[] = [];
    const one = (prefix: string): void => {
      if (eatOp("*")) return;
      const path = dotted();
      const as = eatWord("as") ? identifier() : prefix === "" ? (path.split(".")[0] ?? path) : path;
      names.push([prefix + path, as]);
    };
    if (eatWord("import")) {
      do one("");
      while (eatOp(","));
    } else {
      at++;
      const path = dotted();
      if (!eatWord("import")) fail(`Expected \`import\`, found ${found()}.`);
      const open = eatOp("(");
      do {
        if (isOp(")")) break;
        one(`${path}.`);
      } while (eatOp(","));
      if (open) expectOp(")");
    }
    return { py: "Import", names, start: from, end: lastEnd() };
  }

  const body: PyStmt[] = [];
  statementsUntil(TokenKind.end, body);
  return { body, problems };
}
