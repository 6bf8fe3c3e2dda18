import { irDialect, type Dialect, type PassContext, type PassContextOptions, type PassInstrument } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { relax } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { print, roundTripInstrument, type ScriptDialect } from "@verticil/tvmscript";
import { expect, vi } from "vitest";

/**
 * The round-trip instrument, always on in tests: every context that a test makes, itself or through `compile`, checks
 * after each pass that `parse(print(m))` equals `m`, with the dialects of that context. Not checked are contexts of
 * which a dialect has no syntax: what it stands for cannot be written down.
 */
const hook = vi.hoisted((): { instrumentOf?: (dialects: readonly Dialect[]) => readonly PassInstrument[] } => ({}));

vi.mock("../packages/ir-core/src/pass.ts", async (original) => {
  const module: { readonly passContext: (options?: PassContextOptions) => PassContext } = await original();
  return {
    ...module,
    passContext: (options: PassContextOptions = {}): PassContext => {
      const own = options.instruments ?? [];
      const more = own.some((i) => i.name === "RoundTrip") ? [] : (hook.instrumentOf?.(options.dialects ?? []) ?? []);
      return module.passContext({ ...options, instruments: [...own, ...more] });
    },
  };
});

hook.instrumentOf = (dialects) => {
  const others = dialects.filter((d) => d.name !== "ir");
  return others.length > 0 && others.every(hasSyntax) ? [roundTripInstrument(others)] : [];
};

function hasSyntax(dialect: Dialect): dialect is ScriptDialect {
  return "printers" in dialect && "members" in dialect;
}

// Files share processes, and matchers with them: each starts with those that know every dialect, whatever one before it set.
const scripts = [tir, relax];
expect.extend(irMatchers({ dialects: [irDialect, ...scripts], print: (n) => print(n, { dialects: scripts }) }));
