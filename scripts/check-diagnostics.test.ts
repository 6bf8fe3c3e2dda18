import { expect, test } from "vitest";
import { cataloguesOf } from "./check-diagnostics.ts";

test("the codes of a catalogue are read with their messages", () => {
  const text = `
    export const messages = {
      "too-large": {
        severity: "error",
        message: (p: { readonly value: number }): string => \`Constant \${p.value} is too large\${f(p)}.\`,
        help: (p: { readonly to?: string }): string | undefined => p.to ?? "Cast it.",
      },
      odd: { severity: "warning", message: (): string => (x ? "Odd." : "Even.") },
    } as const;
    export const more: Messages = { cycle: error((p) => \`A cycle: \${listed(p.nodes)}.\`, "Break it.") };
    export const other = { a: { b: 1 } };
  `;
  expect(cataloguesOf("a.ts", text)).toEqual([
    {
      name: "messages",
      codes: [
        { code: "too-large", severity: "error", message: "Constant <value> is too large<…>.", help: "<to> / Cast it." },
        { code: "odd", severity: "warning", message: "Odd. / Even.", help: undefined },
      ],
    },
    { name: "more", codes: [{ code: "cycle", severity: "error", message: "A cycle: <nodes>.", help: "Break it." }] },
  ]);
});
