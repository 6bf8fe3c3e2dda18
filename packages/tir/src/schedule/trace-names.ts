import { isBlockRV, isLoopRV, type RandomVariable } from "./random-variable.ts";

/** Deals out the names of random variables in a trace: `b0`, `l1`, `v2`, numbered in order of appearance. */
export class TraceNames {
  readonly #names = new Map<unknown, string>();

  /** The name of a variable; undefined if no instruction before gave it. */
  get(rv: unknown): string | undefined {
    return this.#names.get(rv);
  }

  /** Names the outputs of an instruction. */
  add(outputs: readonly (RandomVariable | null)[]): readonly string[] {
    return outputs.map((rv) => {
      if (rv === null) return "_";
      const name = `${isBlockRV(rv) ? "b" : isLoopRV(rv) ? "l" : "v"}${this.#names.size}`;
      this.#names.set(rv, name);
      return name;
    });
  }

  /** The variables with their names. */
  entries(): Iterable<readonly [unknown, string]> {
    return this.#names;
  }
}
