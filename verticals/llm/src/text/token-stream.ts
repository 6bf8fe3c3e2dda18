import type { Tokenizer } from "./tokenizer.ts";

/**
 * Turns tokens into text as they come. A character of several tokens is held back until it is whole.
 */
export class TokenStream {
  readonly #tokenizer: Tokenizer;
  /** The tokens whose text is not out yet, and before them the last ones that are, which their spaces depend on. */
  #ids: readonly number[];
  #shown: number;

  /** @param before the tokens that the new ones continue. */
  constructor(tokenizer: Tokenizer, before: readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#ids = before;
    this.#shown = tokenizer.decode(before).length;
  }

  /** The text that is certain now that `id` has come; empty while a character is incomplete. */
  push(id: number): string {
    this.#ids = [...this.#ids, id];
    const text = this.#tokenizer.decode(this.#ids);
    if (text.endsWith("\uFFFD")) return "";
    const fresh = text.slice(this.#shown);
    this.#shown = text.length;
    this.#forget();
    return fresh;
  }

  /** Drops what is far behind, so that a long text does not become slow. */
  #forget(): void {
    if (this.#ids.length < 64) return;
    this.#ids = this.#ids.slice(-16);
    this.#shown = this.#tokenizer.decode(this.#ids).length;
  }
}
