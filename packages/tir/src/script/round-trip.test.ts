import { firstMismatch } from "@verticil/ir-core";
import { parse, print } from "@verticil/tvmscript";
import fc from "fast-check";
import { expect, test } from "vitest";
import { randomModule } from "./testing/random-program.ts";
import { tir } from "./tir-script.ts";

const dialects = [tir];

test.each(["v0.20", "main"] as const)("any program is what its text in the spelling of %s says", (spelling) => {
  fc.assert(
    fc.property(randomModule, (module) => {
      const text = print(module, { dialects, spelling });
      const again = parse(text, { dialects, spelling });
      const mismatch = firstMismatch(module, again, { dialects });
      if (mismatch !== undefined) throw new Error(`differs at ${mismatch.path}\n${text}`);
      expect(print(again, { dialects, spelling })).toBe(text);
    }),
    { seed: 20, numRuns: 120 },
  );
});
