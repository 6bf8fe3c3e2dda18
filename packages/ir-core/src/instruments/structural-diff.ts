import type { PassInstrument } from "../pass.ts";
import { firstMismatch, type Mismatch } from "../structural-equal.ts";

/** What a pass did to the module: the first difference, or undefined if there is none. */
export interface PassChange {
  readonly pass: string;
  readonly mismatch: Mismatch | undefined;
}

/** Notes for each pass whether it changed the module, and where first. */
export interface StructuralDiffInstrument extends PassInstrument {
  readonly changes: readonly PassChange[];
  report(): string;
}

/** Compares the module before and after each pass. */
export function structuralDiffInstrument(): StructuralDiffInstrument {
  const changes: PassChange[] = [];
  return {
    name: "StructuralDiff",
    changes,
    runAfter(pass, module, ctx, before) {
      const mismatch = module === before ? undefined : firstMismatch(before, module, { dialects: ctx.dialects });
      changes.push({ pass: pass.name, mismatch });
    },
    report() {
      return changes.map((c) => `${c.pass}: ${c.mismatch === undefined ? "no change" : `changed at ${c.mismatch.path}`}`).join("\n");
    },
  };
}
