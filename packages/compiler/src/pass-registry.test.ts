import { expect, test } from "vitest";
import { parse, print } from "@verticil/tvmscript";
import { parsePassList } from "@verticil/ir-core";
import { compileContext, scriptDialects } from "./compile-context.ts";
import { passRegistry } from "./pass-registry.ts";

test("a name that two dialects have is one pass over the functions of both", () => {
  const module = parse(
    `
@I.ir_module
class Module:
    @T.prim_func(private=True)
    def fill(data: T.handle("float32"), at: T.int32):
        B = T.Buffer((4,), data=data)
        B[at] = T.float32(1)

    @T.prim_func
    def kernel(a: T.Buffer((4,), "float32")):
        for i in range(4):
            Module.fill(a.data, i)

    @R.function(private=True)
    def helper(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        y = R.nn.relu(x)
        return y

    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        y = Module.helper(x)
        return y
`,
    { dialects: scriptDialects },
  );
  const [pass] = parsePassList("InlinePrivateFunctions", passRegistry);
  const text = print(pass!.run(module, compileContext()), { dialects: scriptDialects });
  expect(text).not.toContain("def helper");
  expect(text).not.toContain("def fill");
});
