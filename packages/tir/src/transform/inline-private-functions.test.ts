import { test } from "vitest";
import { inlinePrivateFunctions } from "./inline-private-functions.ts";
import { expectPass } from "./testing/expect-pass.ts";

const module = (entry: string, helper: string): string => `
@I.ir_module
class Module:
    @T.prim_func
    def main(A: T.Buffer((8,), "float32")):
${entry.replaceAll(/^/gm, "        ")}
${helper}
`;
const helper = `
    @T.prim_func(private=True)
    def fill(data: T.handle("float32"), at: T.int32):
        B = T.Buffer((8,), data=data)
        B[at] = T.float32(1)
`;

test("a private function takes the place of its calls and goes", () => {
  expectPass(
    inlinePrivateFunctions(),
    module("for i in range(8):\n    Module.fill(A.data, i)", helper),
    module("for i in range(8):\n    B = T.Buffer((8,), data=A.data)\n    B[i] = T.float32(1)", ""),
  );
});

test("an address gets a variable, where the buffer behind it is declared", () => {
  expectPass(
    inlinePrivateFunctions(),
    module("for i in range(2):\n    Module.fill(T.address_of(A[i * 4]), 1)", helper.replace("T.Buffer((8,), data=data)", "T.decl_buffer((4,), data=data)")),
    module(
      "for i in range(2):\n    data: T.handle(\"float32\") = T.address_of(A[i * 4])\n    B = T.decl_buffer((4,), data=data)\n    B[1] = T.float32(1)",
      "",
    ),
  );
});

test("a function that calls itself stays", () => {
  expectPass(inlinePrivateFunctions(), module("Module.fill(A.data, 0)", helper.replace("        B = T.Buffer", "        Module.fill(data, at)\n        B = T.Buffer")));
});
