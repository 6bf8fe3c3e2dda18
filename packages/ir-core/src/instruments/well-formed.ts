import { DiagnosticError, Diagnostics, type Diagnostic } from "../diagnostics.ts";
import type { IRModule } from "../ir.ts";
import type { PassContext, PassInstrument } from "../pass.ts";

/** A rule of well-formedness: reports what is wrong with a module. Dialects have theirs. */
export type WellFormedCheck = (module: IRModule, ctx: PassContext, diagnostics: Diagnostics) => void;

/**
 * Checks the module after each pass (upstream's `WellFormedInstrument`).
 * @throws DiagnosticError from `runAfter`, naming the pass, if a check reports an error.
 */
export function wellFormedInstrument(checks: readonly WellFormedCheck[]): PassInstrument {
  return {
    name: "WellFormed",
    runAfter(pass, module, ctx) {
      const diagnostics = new Diagnostics();
      for (const check of checks) check(module, ctx, diagnostics);
      if (!diagnostics.hasErrors) return;
      const blame = (d: Diagnostic): Diagnostic => ({ ...d, message: `After ${pass.name}: ${d.message}` });
      throw new DiagnosticError(diagnostics.all.map(blame));
    },
  };
}
