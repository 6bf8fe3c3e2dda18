import { tokenize, TokenKind } from "./tokens.ts";

/** A place where the text is not Python. */
export interface SyntaxProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** Unwinds to the statement that holds the mistake. */
export class Unreadable extends Error {}

/** CPython reads 200. */
const MAX_DEPTH = 1000;

/** A place in the tokens of a text, and what was wrong so far. */
export class TokenCursor {
  readonly src: string;
  readonly problems: SyntaxProblem[];
  protected readonly kinds: ArrayLike<number>;
  protected readonly starts: ArrayLike<number>;
  protected readonly ends: ArrayLike<number>;
  protected readonly texts: readonly string[];
  protected at = 0;
  protected depth = 0;

  constructor(src: string) {
    const { kinds, starts, ends, texts, errors } = tokenize(src);
    this.src = src;
    this.kinds = kinds;
    this.starts = starts;
    this.ends = ends;
    this.texts = texts;
    this.problems = [...errors];
  }

  protected kind(): number {
    return this.kinds[this.at] ?? TokenKind.end;
  }

  protected text(): string {
    return this.texts[this.at] ?? "";
  }

  protected start(): number {
    return this.starts[this.at] ?? this.src.length;
  }

  protected lastEnd(): number {
    return this.ends[this.at - 1] ?? 0;
  }

  protected isOp(op: string): boolean {
    return this.kinds[this.at] === TokenKind.op && this.texts[this.at] === op;
  }

  protected isWord(word: string): boolean {
    return this.kinds[this.at] === TokenKind.keyword && this.texts[this.at] === word;
  }

  /** Goes one level deeper; the way back is `this.depth--`. */
  protected deeper(what: string): void {
    if (++this.depth > MAX_DEPTH) this.fail(`${what} nested too deeply.`);
  }

  protected fail(message: string, from: number = this.start(), to: number = Math.max(from + 1, this.ends[this.at] ?? from + 1)): never {
    this.problems.push({ message, start: from, end: Math.min(to, Math.max(this.src.length, from)) });
    throw new Unreadable();
  }

  protected found(): string {
    switch (this.kind()) {
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
        return `\`${this.text()}\``;
    }
  }

  protected expectOp(op: string): void {
    if (!this.isOp(op)) this.fail(`Expected \`${op}\`, found ${this.found()}.`);
    this.at++;
  }

  protected eatOp(op: string): boolean {
    if (!this.isOp(op)) return false;
    this.at++;
    return true;
  }

  protected eatWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  protected identifier(): string {
    if (this.kind() !== TokenKind.name) this.fail(`Expected a name, found ${this.found()}.`);
    return this.texts[this.at++] ?? "";
  }
}
