import { firstMismatch, type IRModule, type PassInstrument } from "@verticil/ir-core";
import type { ScriptDialect } from "./dialect.ts";
import { MetadataTable } from "./metadata.ts";
import { parse } from "./parse/parse.ts";
import { print, withoutIr } from "./print/print.ts";

/**
 * Checks after every pass that the module survives its text form: `parse(print(m))` is structurally equal to `m`.
 * Constants are handed over in memory, so that large models cost no more than their programs, and a module whose parts
 * are all those of one that was checked before is not checked again.
 * The hook throws an `Error` that names the pass and the first difference.
 */
export function roundTripInstrument(dialects: readonly ScriptDialect[]): PassInstrument {
  const checked = new WeakSet<IRModule>();
  return {
    name: "RoundTrip",
    runAfter(pass, module, _ctx, before) {
      const unchanged = checked.has(before) && sameParts(module, before);
      checked.add(module);
      if (unchanged) return;
      const metadata = new MetadataTable();
      const text = print(module, { dialects, metadata });
      const again = parse(text, { dialects, metadata, name: `after ${pass.name}`, spans: false });
      const mismatch = firstMismatch(module, again, { dialects: withoutIr(dialects) });
      if (mismatch === undefined) return;
      throw new Error(
        `After \`${pass.name}\` the module changes when it is printed and parsed, at ${mismatch.path}: ` +
          `${describe(mismatch.lhs)} became ${describe(mismatch.rhs)}.\n${print(module, { dialects, pathsToUnderline: [mismatch.lhsPath], numContextLines: 3 })}`,
      );
    },
  };
}

/** True if both modules hold the same functions, by identity, under the same names, and the same attributes. */
function sameParts(a: IRModule, b: IRModule): boolean {
  if (a === b) return true;
  if (a.attrs !== b.attrs || a.globalInfos !== b.globalInfos) return false;
  return a.functions.size === b.functions.size && [...a.functions].every(([gv, f]) => b.functions.get(gv) === f);
}

function describe(part: unknown): string {
  if (part === undefined) return "nothing";
  if (typeof part !== "object" || part === null) return JSON.stringify(part, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
  return "kind" in part ? `a ${String(part.kind)}` : "a value";
}
