import type { IRModule } from "@verticil/ir-core";

/** Analyses that refuse a module, by upstream's name; each throws a `DiagnosticError` that says what is wrong. */
export const tirAnalyses: ReadonlyMap<string, (module: IRModule) => void> = new Map<string, (module: IRModule) => void>([]);
