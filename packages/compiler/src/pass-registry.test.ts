import { expect, test } from "vitest";
import { parse, print } from "@verticil/tvmscript";
import { parsePassList, type IRModule } from "@verticil/ir-core";
import { compileContext, scriptDialects } from "./compile-context.ts";
import { parsePasses, passRegistry } from "./pass-registry.ts";

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

test("DecomposeOpsForInference looks only at the function that `func_name` names", () => {
  const dropout = (name: string): string => `
    @R.function
    def ${name}(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        d = R.nn.dropout(x, rate=0.5)
        y = d[0]
        return y
`;
  const module = parse(`@I.ir_module\nclass Module:${dropout("first")}${dropout("second")}`, { dialects: scriptDialects });
  const count = (passes: string): number => print(run(passes, module), { dialects: scriptDialects }).split("R.nn.dropout").length - 1;
  expect(count("DecomposeOpsForInference(func_name=first)")).toBe(1);
  expect(count("DecomposeOpsForInference")).toBe(0);
});

test.each([
  ["DecomposeOpsForInference(func=main)", "`DecomposeOpsForInference` has no option `func`"],
  ["DecomposeOpsForInference(func_name=1)", "`func_name` is a text, not 1"],
  ["LegalizeOps(enable_warnings=True)", "Did you mean `enable_warning`?"],
  ["LegalizeOps(enable_warning=1)", "`enable_warning` is `True` or `False`, not 1"],
  ["DeadCodeElimination(entry_functions=main)", "`entry_functions` is a list of names"],
  ["RunCodegen(target_option=a)", "Did you mean `target_options`?"],
  ["RunCodegen(target_options=a)", "`target_options` is a map"],
])("%s is refused", (passes, message) => expect(() => parsePasses(passes)).toThrow(message));

function run(passes: string, module: IRModule): IRModule {
  return parsePasses(passes).reduce((m, pass) => pass.run(m, compileContext()), module);
}
