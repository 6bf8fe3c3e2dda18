import { test } from "vitest";
import { decorateDeviceScope } from "./decorate-device-scope.ts";
import { expectPass } from "./testing/expect-pass.ts";

test("the body stands under a mark", () => {
  const program = (mark: string): string => `\n@T.prim_func\ndef main(A: T.Buffer((8,), "float32")):\n${mark}    A[0] = T.float32(1)\n`;
  expectPass(decorateDeviceScope(), program(""), program(`    T.attr(0, "device_scope", 0)\n`));
});
