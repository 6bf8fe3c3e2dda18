import type { PyBinaryOp, PyExpr, PyFunctionDef, PyParam, PyTypeParam, PyStmt } from "./ast.ts";
import { ExpressionReader } from "./expression-reader.ts";
import { Unreadable, type SyntaxProblem } from "./token-cursor.ts";
import { TokenKind } from "./tokens.ts";

/** What was read, as far as it could be, and what was wrong. */
export interface PythonSource {
  readonly body: readonly PyStmt[];
  readonly problems: readonly SyntaxProblem[];
}

const AUGMENTED: ReadonlyMap<string, PyBinaryOp> = new Map(
  (["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@"] as const).map((op) => [`${op}=`, op]),
);

/**
 * Reads Python source. After a mistake it goes on with the next line, so that several are found in one run.
 * Never throws.
 *
 * Own code and not a general grammar: the closed subset needs a few dozen rules, and this is several times faster
 * than an incremental parser's tree with a conversion after it.
 */
export function readPython(src: string): PythonSource {
  const reader = new StatementReader(src);
  return { body: reader.program(), problems: reader.problems };
}

class StatementReader extends ExpressionReader {
  program(): PyStmt[] {
    const body: PyStmt[] = [];
    this.#statementsUntil(TokenKind.end, body);
    return body;
  }

  #block(): PyStmt[] {
    this.expectOp(":");
    const out: PyStmt[] = [];
    if (this.kind() !== TokenKind.newline) {
      this.#simpleLine(out);
      return out;
    }
    this.at++;
    if (this.kind() !== TokenKind.indent) this.fail(`Expected an indented block, found ${this.found()}.`);
    this.at++;
    this.deeper("These blocks are");
    this.#statementsUntil(TokenKind.dedent, out);
    this.depth--;
    if (this.kind() === TokenKind.dedent) this.at++;
    return out;
  }

  #statementsUntil(stop: number, out: PyStmt[]): void {
    while (this.kind() !== stop && this.kind() !== TokenKind.end) {
      const before = this.at;
      const depthBefore = this.depth;
      try {
        this.#statement(out);
      } catch (e) {
        if (!(e instanceof Unreadable)) throw e;
        this.depth = depthBefore;
        this.#skipLine();
      }
      if (this.at === before) this.at++;
    }
  }

  /** Goes on after the current line and the block that hangs on it. */
  #skipLine(): void {
    while (this.kind() !== TokenKind.newline && this.kind() !== TokenKind.end && this.kind() !== TokenKind.dedent) this.at++;
    if (this.kind() === TokenKind.newline) this.at++;
    if (this.kind() !== TokenKind.indent) return;
    let nesting = 0;
    do {
      if (this.kind() === TokenKind.indent) nesting++;
      else if (this.kind() === TokenKind.dedent) nesting--;
      this.at++;
    } while (nesting > 0 && this.kind() !== TokenKind.end);
  }

  #statement(out: PyStmt[]): void {
    if (this.isOp("@")) {
      out.push(this.#decorated());
      return;
    }
    if (this.kind() === TokenKind.indent) this.fail("This line is indented more than the lines around it.", this.start(), this.start() + 1);
    const compound = this.kind() === TokenKind.keyword ? this.#compoundStatement() : undefined;
    if (compound === undefined) this.#simpleLine(out);
    else out.push(compound);
  }

  #compoundStatement(): PyStmt | undefined {
    const from = this.start();
    switch (this.text()) {
      case "for": {
        this.at++;
        const target = this.#targetList();
        if (!this.eatWord("in")) this.fail(`Expected \`in\`, found ${this.found()}.`);
        const iter = this.expressionList();
        const body = this.#block();
        return { py: "For", target, iter, body, start: from, end: this.lastEnd() };
      }
      case "while": {
        this.at++;
        const test = this.expression();
        const body = this.#block();
        return { py: "While", test, body, start: from, end: this.lastEnd() };
      }
      case "if":
        this.at++;
        return this.#ifRest(from);
      case "with":
        return this.#withStatement(from);
      case "def":
        return this.#functionDef([], from);
      case "class":
        return this.#classDef([], from);
      case "try":
      case "async": {
        const what = `\`${this.text()}\``;
        const to = this.ends[this.at] ?? from;
        this.#skipLine();
        return { py: "OtherStmt", what, start: from, end: to };
      }
      default:
        return undefined;
    }
  }

  /** Targets of a loop: no comparison, so that `in` ends them. */
  #targetList(): PyExpr {
    const from = this.start();
    const first = this.postfix();
    if (!this.isOp(",")) return first;
    const list = [first];
    while (this.eatOp(",")) {
      if (this.isWord("in")) break;
      list.push(this.postfix());
    }
    return { py: "Tuple", items: list, start: from, end: this.lastEnd() };
  }

  #ifRest(from: number): PyStmt {
    const test = this.expression();
    const body = this.#block();
    let orelse: PyStmt[] = [];
    const elseStart = this.start();
    if (this.eatWord("elif")) {
      this.deeper("These blocks are");
      orelse = [this.#ifRest(elseStart)];
      this.depth--;
    } else if (this.eatWord("else")) orelse = this.#block();
    return { py: "If", test, body, orelse, start: from, end: this.lastEnd() };
  }

  #withStatement(from: number): PyStmt {
    this.at++;
    const list: { context: PyExpr; target: PyExpr | undefined }[] = [];
    do {
      const context = this.expression();
      const target = this.eatWord("as") ? this.postfix() : undefined;
      list.push({ context, target });
    } while (this.eatOp(","));
    const body = this.#block();
    return { py: "With", items: list, body, start: from, end: this.lastEnd() };
  }

  #decorated(): PyStmt {
    const from = this.start();
    const decorators: PyExpr[] = [];
    while (this.eatOp("@")) {
      decorators.push(this.expression());
      if (this.kind() === TokenKind.newline) this.at++;
    }
    if (this.isWord("def")) return this.#functionDef(decorators, from);
    if (this.isWord("class")) return this.#classDef(decorators, from);
    return this.fail(`Expected \`def\` or \`class\` after a decorator, found ${this.found()}.`);
  }

  #functionDef(decorators: readonly PyExpr[], from: number): PyFunctionDef {
    this.at++;
    const nameStart = this.start();
    const name = this.identifier();
    const typeParams = this.eatOp("[") ? this.#typeParams() : [];
    this.expectOp("(");
    const params = this.#params();
    this.expectOp(")");
    const returns = this.eatOp("->") ? this.expression() : undefined;
    const body = this.#block();
    return { py: "FunctionDef", name, nameStart, typeParams, params, returns, body, decorators, start: from, end: this.lastEnd() };
  }

  #typeParams(): PyTypeParam[] {
    const params: PyTypeParam[] = [];
    while (!this.isOp("]")) {
      const from = this.start();
      const name = this.identifier();
      const bound = this.eatOp(":") ? this.expression() : undefined;
      params.push({ name, bound, start: from, end: this.lastEnd() });
      if (!this.eatOp(",")) break;
    }
    this.expectOp("]");
    return params;
  }

  #params(): PyParam[] {
    const params: PyParam[] = [];
    let keywordOnly = false;
    while (!this.isOp(")")) {
      const from = this.start();
      const star = this.eatOp("**") ? "**" : this.eatOp("*") ? "*" : this.eatOp("/") ? "/" : "";
      if (star === "/" || (star === "*" && this.isOp(","))) keywordOnly ||= star === "*";
      else {
        const name = this.identifier();
        const annotation = this.eatOp(":") ? this.expression() : undefined;
        const value = this.eatOp("=") ? this.expression() : undefined;
        const rest = star === "**" ? "kwargs" : star === "*" ? "args" : undefined;
        params.push({ name, annotation, default: value, rest, keywordOnly, start: from, end: this.lastEnd() });
        keywordOnly ||= star === "*";
      }
      if (!this.eatOp(",")) break;
    }
    return params;
  }

  #classDef(decorators: readonly PyExpr[], from: number): PyStmt {
    this.at++;
    const name = this.identifier();
    if (this.eatOp("(")) this.call({ py: "Name", id: name, start: from, end: from }, from);
    const body = this.#block();
    return { py: "ClassDef", name, body, decorators, start: from, end: this.lastEnd() };
  }

  #simpleLine(out: PyStmt[]): void {
    do {
      if (this.kind() === TokenKind.newline) break;
      out.push(this.#simpleStatement());
    } while (this.eatOp(";"));
    if (this.kind() === TokenKind.end) return;
    if (this.kind() !== TokenKind.newline) this.fail(`Expected the end of the line, found ${this.found()}.`);
    this.at++;
  }

  #simpleStatement(): PyStmt {
    const from = this.start();
    if (this.kind() === TokenKind.keyword) {
      const special = this.#keywordStatement(from);
      if (special !== undefined) return special;
    }
    const first = this.expressionList();
    if (this.eatOp(":")) {
      const annotation = this.expression();
      const value = this.eatOp("=") ? this.expressionList() : undefined;
      return { py: "AnnAssign", target: first, annotation, value, start: from, end: this.lastEnd() };
    }
    if (this.isOp("=")) {
      const targets: PyExpr[] = [];
      let value = first;
      while (this.eatOp("=")) {
        targets.push(value);
        value = this.expressionList();
      }
      return { py: "Assign", targets, value, start: from, end: this.lastEnd() };
    }
    const augmented = this.kind() === TokenKind.op ? AUGMENTED.get(this.text()) : undefined;
    if (augmented !== undefined) {
      this.at++;
      const value = this.expressionList();
      return { py: "AugAssign", target: first, op: augmented, value, start: from, end: this.lastEnd() };
    }
    return { py: "ExprStmt", value: first, start: from, end: this.lastEnd() };
  }

  #keywordStatement(from: number): PyStmt | undefined {
    const word = this.text();
    switch (word) {
      case "pass":
        this.at++;
        return { py: "Pass", start: from, end: this.lastEnd() };
      case "return": {
        this.at++;
        const value = this.kind() === TokenKind.newline ? undefined : this.expressionList();
        return { py: "Return", value, start: from, end: this.lastEnd() };
      }
      case "assert": {
        this.at++;
        const test = this.expression();
        const message = this.eatOp(",") ? this.expression() : undefined;
        return { py: "Assert", test, message, start: from, end: this.lastEnd() };
      }
      case "import":
      case "from":
        return this.#importStatement(from);
      case "break":
      case "continue":
      case "del":
      case "global":
      case "nonlocal":
      case "raise":
      case "yield":
      case "await": {
        while (this.kind() !== TokenKind.newline && this.kind() !== TokenKind.end) this.at++;
        return { py: "OtherStmt", what: `\`${word}\``, start: from, end: this.lastEnd() };
      }
      default:
        return undefined;
    }
  }

  #dotted(): string {
    let path = "";
    while (this.eatOp(".") || this.eatOp("...")) path += ".";
    if (this.kind() === TokenKind.name) path += this.identifier();
    while (this.eatOp(".")) path += `.${this.identifier()}`;
    return path;
  }

  #importStatement(from: number): PyStmt {
    const names: (readonly [string, string])[] = [];
    const one = (prefix: string): void => {
      if (this.eatOp("*")) return;
      const path = this.#dotted();
      const as = this.eatWord("as") ? this.identifier() : prefix === "" ? (path.split(".")[0] ?? path) : path;
      names.push([prefix + path, as]);
    };
    if (this.eatWord("import")) {
      do one("");
      while (this.eatOp(","));
    } else {
      this.at++;
      const path = this.#dotted();
      if (!this.eatWord("import")) this.fail(`Expected \`import\`, found ${this.found()}.`);
      const open = this.eatOp("(");
      do {
        if (this.isOp(")")) break;
        one(`${path}.`);
      } while (this.eatOp(","));
      if (open) this.expectOp(")");
    }
    return { py: "Import", names, start: from, end: this.lastEnd() };
  }
}
