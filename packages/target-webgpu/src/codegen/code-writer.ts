/** Lines of code with their indentation. Blocks nest by calling `block`. */
export class CodeWriter {
  readonly #lines: string[] = [];
  #depth = 0;

  line(text: string): void {
    this.#lines.push("  ".repeat(this.#depth) + text);
  }

  /** `head {`, what `body` writes, `}`. */
  block(head: string, body: () => void, tail = "}"): void {
    this.line(`${head} {`);
    this.#depth++;
    body();
    this.#depth--;
    this.line(tail);
  }

  /** The rest of a block whose head the last line was: `} else {`. */
  continue(body: () => void): void {
    this.#depth++;
    body();
    this.#depth--;
    this.line("}");
  }

  toString(): string {
    return this.#lines.join("\n");
  }
}
