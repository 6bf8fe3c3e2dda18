import { DiagnosticError, type Span } from "@verticil/ir-core";

/** Stops code generation: the program holds something that has no WebAssembly. `what` is a noun phrase. */
export function unsupported(what: string, help: string, span?: Span): never {
  throw new DiagnosticError([
    {
      code: "target-wasm/unsupported",
      severity: "error",
      message: `The WebAssembly target has no code for ${what}.`,
      span,
      help,
      related: [],
    },
  ]);
}
