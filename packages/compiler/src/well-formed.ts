import type { WellFormedCheck } from "@verticil/ir-core";
import { relaxWellFormed } from "@verticil/relax";

/** The rules of well-formedness of all dialects that every compilation knows. */
export const wellFormedChecks: readonly WellFormedCheck[] = [relaxWellFormed];
