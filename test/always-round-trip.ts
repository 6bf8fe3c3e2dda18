import type { Dialect, PassContext, PassContextOptions, PassInstrument } from "@verticil/ir-core";
import { roundTripInstrument, type ScriptDialect } from "@verticil/tvmscript";
import { vi } from "vitest";

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
