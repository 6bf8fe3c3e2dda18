import { DiagnosticError, type Diagnostic } from "@verticil/ir-core";

/** Thrown where a value is used that is not known because the node before it could not be read; says nothing new. */
export class UnknownValue extends Error {
  override readonly name = "UnknownValue";
}

/** Each attempt in turn; where one comes across an unknown value the others are still made. @throws UnknownValue after all of them. */
export function allAttempts<T>(attempts: readonly (() => T)[]): readonly T[] {
  let unknown: UnknownValue | undefined;
  const results = attempts.flatMap((attempt) => {
    try {
      return [attempt()];
    } catch (error) {
      if (!(error instanceof UnknownValue)) throw error;
      unknown = error;
      return [];
    }
  });
  if (unknown !== undefined) throw unknown;
  return results;
}

/** Errors of the surroundings: what follows would be the same again for each tensor. */
const AT_ONCE: ReadonlySet<string> = new Set(["onnx/external-data", "onnx/bad-external-data"]);

/** What came of an attempt: its result if it came to one, and what it found to be wrong. */
export type Trial<T> = { readonly found: readonly Diagnostic[] } & ({ readonly isDone: true; readonly result: T } | { readonly isDone: false; readonly result: undefined });

/** What is wrong with a model, found node by node, so that one run shows all of it. */
export class Problems {
  #found: Diagnostic[] = [];

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** Adds diagnostics, each once. */
  add(diagnostics: readonly Diagnostic[]): void {
    for (const d of diagnostics) if (!this.#found.some((f) => f.code === d.code && f.message === d.message)) this.#found.push(d);
  }

  /** Takes over what an error says of the model. @throws what is no such error, and errors after which nothing can be said. */
  note(error: unknown): void {
    if (error instanceof UnknownValue) return;
    if (!(error instanceof DiagnosticError) || error.diagnostics.some((d) => AT_ONCE.has(d.code))) throw error;
    this.add(error.diagnostics);
  }

  /** What `attempt` finds, without keeping it. @throws what `note` throws. */
  trial<T>(attempt: () => T): Trial<T> {
    const saved = this.#found;
    this.#found = [];
    try {
      return { isDone: true, result: attempt(), found: this.#found };
    } catch (error) {
      this.note(error);
      return { isDone: false, result: undefined, found: this.#found };
    } finally {
      this.#found = saved;
    }
  }

  /** @throws DiagnosticError with everything that was found, if anything was. */
  throwIfAny(): void {
    if (this.any) throw new DiagnosticError(this.#found);
  }
}
