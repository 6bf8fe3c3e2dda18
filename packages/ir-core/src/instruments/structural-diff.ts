import { formatModuleDiff, moduleDiff, type ModuleDiff } from "../module-diff.ts";
import type { PassInstrument } from "../pass.ts";

/** What a pass did to the module; undefined if nothing. */
export interface PassChange {
  readonly pass: string;
  readonly diff: ModuleDiff | undefined;
}

/** Notes for each pass which functions it added, removed and changed, and where each of these changed first. */
export interface StructuralDiffInstrument extends PassInstrument {
  readonly changes: readonly PassChange[];
  report(): string;
}

/** Compares the module before and after each pass. `onChange` is told of each at once. */
export function structuralDiffInstrument(onChange?: (change: PassChange) => void): StructuralDiffInstrument {
  const changes: PassChange[] = [];
  return {
    name: "StructuralDiff",
    changes,
    runAfter(pass, module, ctx, before) {
      const diff = module === before ? undefined : moduleDiff(before, module, { dialects: ctx.dialects });
      const change = { pass: pass.name, diff };
      changes.push(change);
      onChange?.(change);
    },
    report() {
      return changes.map((c) => formatPassChange(c)).join("\n");
    },
  };
}

/** What a pass did, as a line and a line for each function it touched. */
export function formatPassChange({ pass, diff }: PassChange): string {
  if (diff === undefined) return `${pass}: no change`;
  return [`${pass}:`, ...formatModuleDiff(diff).map((line) => `  ${line}`)].join("\n");
}
