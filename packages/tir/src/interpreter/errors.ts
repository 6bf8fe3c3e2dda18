import { DiagnosticError, Diagnostics, type Catalogue, type Span } from "@verticil/ir-core";

/** What can go wrong while a program is interpreted. */
export const interpreterDiagnostics = {
  "out-of-bounds": {
    severity: "error",
    message: (p: { buffer: string; dimension: number; index: number; extent: number }): string =>
      `Index ${p.index} is outside of dimension ${p.dimension} of buffer \`${p.buffer}\`, which has ${p.extent} elements.`,
  },
  "outside-memory": {
    severity: "error",
    message: (p: { buffer: string; element: number }): string =>
      `Element ${p.element} of buffer \`${p.buffer}\` is outside of the memory behind it.`,
  },
  "uninitialized-read": {
    severity: "error",
    message: (p: { buffer: string; element: number }): string =>
      `Element ${p.element} of buffer \`${p.buffer}\` is read before it is written.`,
  },
  "division-by-zero": {
    severity: "error",
    message: (): string => "An integer is divided by zero.",
  },
  "undefined-variable": {
    severity: "error",
    message: (p: { name: string }): string => `Variable \`${p.name}\` is used where it has no value.`,
  },
  "undefined-buffer": {
    severity: "error",
    message: (p: { name: string }): string => `Buffer \`${p.name}\` is used where it has no memory.`,
  },
  "divergent-barrier": {
    severity: "error",
    message: (p: { what: string }): string => `${p.what} is reached by some threads of a group only.`,
    help: "Every thread must reach a barrier: take it out of what depends on the thread.",
  },
  "assertion-failed": {
    severity: "error",
    message: (p: { message: string }): string => `Assertion failed: ${p.message}`,
  },
  "cannot-interpret": {
    severity: "error",
    message: (p: { what: string }): string => `${p.what} cannot be interpreted.`,
  },
  "bad-argument": {
    severity: "error",
    message: (p: { param: string; problem: string }): string => `Argument \`${p.param}\` ${p.problem}.`,
  },
} as const;

type InterpreterCatalogue = typeof interpreterDiagnostics;

/** Stops the run with a diagnostic. @throws DiagnosticError always. */
export function raise<K extends keyof InterpreterCatalogue>(
  code: K,
  params: Parameters<InterpreterCatalogue[K]["message"]>[0],
  span?: Span,
): never {
  const diagnostics = new Diagnostics();
  diagnostics.reporter("tir", interpreterDiagnostics as Catalogue)(code, params as never, span);
  throw new DiagnosticError(diagnostics.all);
}
