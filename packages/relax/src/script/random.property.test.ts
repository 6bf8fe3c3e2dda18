import { Diagnostics } from "@verticil/ir-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkWellFormed } from "../analysis/well-formed.ts";
import { relaxOps } from "../op/index.ts";
import { moduleFrom, recipe } from "./testing/random-module.ts";
import { roundTripMismatch } from "./testing/script.ts";

test("what the builder makes is well-formed, and its text reads as the same program", () => {
  fc.assert(
    fc.property(recipe, (steps) => {
      const module = moduleFrom(steps);
      const diagnostics = new Diagnostics();
      checkWellFormed(module, diagnostics, { ops: relaxOps });
      expect(diagnostics.all.map((d) => d.message)).toEqual([]);
      expect(roundTripMismatch(module)).toBeUndefined();
    }),
    { numRuns: 120 },
  );
});

test.each([{ showAllStructInfo: false }, { syntaxSugar: false, moduleAlias: "" }])("the text with %j reads as the same program", (opts) => {
  fc.assert(
    fc.property(recipe, (steps) => {
      expect(roundTripMismatch(moduleFrom(steps), opts)).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
