import { Diagnostics } from "@verticil/ir-core";
import type { PrimFunc } from "../../ir/stmt.ts";
import { moduleOf } from "../../transform/testing/expect-pass.ts";

/** What an analysis says about the one function of a script: `code @line` of each diagnostic, in order. */
export function diagnose(script: string, analyse: (func: PrimFunc, diagnostics: Diagnostics) => void): readonly string[] {
  const diagnostics = new Diagnostics();
  analyse([...moduleOf(script).functions.values()][0] as PrimFunc, diagnostics);
  return diagnostics.all.map((d) => `${d.code.replace("tir/", "")} @${d.span ? d.span.source.position(d.span.start).line : "?"}`);
}
