import type { WellFormedCheck } from "@verticil/ir-core";
import { relaxWellFormed } from "@verticil/relax";
import { tirWellFormed } from "@verticil/tir";
import type { Extension } from "./compile-context.ts";

/** The rules of well-formedness of all dialects that every compilation knows, and those of extensions. */
export function wellFormedChecks(extensions: readonly Extension[] = []): readonly WellFormedCheck[] {
  return [tirWellFormed, relaxWellFormed, ...extensions.flatMap((e) => e.wellFormed ?? [])];
}
