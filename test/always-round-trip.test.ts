import { passContext } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { expect, it } from "vitest";

it("every context of a test holds programs to their text form", () => {
  expect(passContext({ dialects: [tir] }).instruments.map((i) => i.name)).toContain("RoundTrip");
});
