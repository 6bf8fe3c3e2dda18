import type { LegalizeTable } from "../legalize-rule.ts";
import { elementwiseRules } from "./elementwise.ts";
import { nnRules } from "./nn-rules.ts";
import { searchRules } from "./search-rules.ts";
import { shapeRules } from "./shape-ops.ts";
import { systemRules } from "./system-rules.ts";

/** How the operators become tensor programs, by full name; what `LegalizeOps` uses unless told. */
export const legalizeTable: LegalizeTable = new Map(
  [elementwiseRules, shapeRules, nnRules, searchRules, systemRules].flatMap((rules) => Object.entries(rules).map(([name, rule]) => [`relax.${name}`, rule])),
);
